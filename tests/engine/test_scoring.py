"""What reaches the records of images that are scored together, and who scores them."""

import json
from dataclasses import replace

import pytest

from irsam_zoo.engine import evaluate
from irsam_zoo.engine.cell import Cell, cell_detector
from irsam_zoo.engine.scoring import score_images
from irsam_zoo.zoo import METHODS, Detector, MethodCard


@pytest.fixture
def cell():
    """A cell of a method that takes three images together and notes something about each."""

    @METHODS.register_module("noting")
    class Noting(Detector):
        card = MethodCard(title="Noting")
        batch_size = 3

        def _score_batch(self, images):
            for _ in images:
                self.note("short of breath")
            return images

    options = json.dumps({"type": "noting"})
    yield Cell(
        method="noting", spec="noting", options=options, dataset="synthetic", split="irsam", source="synthetic", lists="irsam"
    )
    METHODS.module_dict.pop("noting")


@pytest.mark.filterwarnings("ignore:noting")
def test_notes_of_a_batch_are_counted_once(cell):
    records = score_images(cell, range(5))
    assert [len(record.notes) for record in records] == [5, 0, 0, 0, 0]


class Pool:
    """Refuses work."""

    workers = 1

    def submit(self, function, *arguments):
        raise AssertionError("given to a worker process")


def test_methods_that_batch_stay_in_this_process_on_cuda(cell, monkeypatch):
    detector, batches = cell_detector(cell), []
    monkeypatch.setattr(evaluate, "score_images", lambda cell, indices: batches.append(list(indices)) or [])
    with monkeypatch.context() as on_cuda:
        on_cuda.setattr(detector, "device", "cuda")
        list(evaluate._score(replace(cell, device="cuda"), detector, list(range(7)), Pool()))
    assert batches == [[0, 1, 2], [3, 4, 5], [6]]
    with pytest.raises(AssertionError, match="worker process"):
        list(evaluate._score(cell, detector, [0], Pool()))
