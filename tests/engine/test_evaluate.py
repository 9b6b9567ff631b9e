"""What the stored records of a cell depend on."""

import cv2
import numpy as np
import pytest
import torch

from irsam_zoo.results.row import Status
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_records_of_networks_are_those_of_a_number_of_threads(run_here, threads, tmp_path):
    config = tmp_path / "small.py"
    save_checkpoint(tmp_path / "weights.safetensors", build_method("acmnet", weights=None).network.state_dict(), {})
    config.write_text(f"method = dict(type='acmnet', input_size=32, checkpoint={str(tmp_path / 'weights.safetensors')!r})")
    keys = []
    for number in (1, 2):
        threads(number)
        rows = run_here(str(config), "top_hat")
        assert [row.status for row in rows.values()] == [Status.OK, Status.OK]
        keys.append([row.journal_key for row in rows.values()])
    assert [key.get("threads") for key in (keys[0][0], keys[1][0])] == [1, 2]
    assert keys[0][1] == keys[1][1]


def test_records_are_those_of_versions_of_libraries(run_here, monkeypatch):
    first = run_here("top_hat")["top_hat"]
    assert first.journal_key["libraries"]["numpy"]
    monkeypatch.setattr("irsam_zoo.engine.evaluate.library_versions", lambda module, network: {"numpy": "another"})
    assert run_here("top_hat")["top_hat"].journal_key == first.journal_key | {"libraries": {"numpy": "another"}}


def test_half_precision_is_of_another_key_and_told(run_here, tmp_path):
    weights = tmp_path / "weights.safetensors"
    save_checkpoint(weights, build_method("acmnet").network.state_dict(), {})
    rows = []
    for amp in (False, True):
        config = tmp_path / "small.py"
        config.write_text(f"method = dict(type='acmnet', input_size=32, amp={amp}, checkpoint={str(weights)!r})")
        rows.append(run_here(str(config))["small"])
    assert rows[0].journal_key.keys() == rows[1].journal_key.keys() - {"precision"}
    assert [row.journal_key.get("precision") for row in rows] == [None, "bfloat16 by autocast"]
    assert [row.notes for row in rows] == [{}, {"computed in bfloat16 by autocast": 4}]
    assert [row.speed.dtype for row in rows] == ["float32", "bfloat16 by autocast"]


def masks_of(folder, *levels):
    """Give the masks of a folder other levels than 255, one after the other."""
    for path, level in zip(sorted((folder / "masks").glob("*.png")), levels, strict=True):
        cv2.imwrite(str(path), (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) > 0) * np.uint8(level))


@pytest.mark.parametrize("faint", [1, 2, 64, 127])
def test_what_is_target_is_decided_for_the_folder(run_here, own_set, tmp_path, faint):
    """A mask of 0 and 1 among masks of 0 and 255 has no target, as one of 0 and 2 has none; the notes say so."""
    masks_of(own_set, 255, faint, 128, 200)
    row = run_here("top_hat")["top_hat"]
    records = ResultStore(tmp_path / "out").records(row)
    assert [record.counts["targets"] for record in records] == [1, 0, 1, 1]
    assert row.data_notes == ("1 masks with targets, none above 127 (store them as 0 and 255): im1",)


def test_numbers_of_instances_are_no_targets(run_here, own_set):
    masks_of(own_set, 1, 2, 3, 4)
    row = run_here("top_hat")["top_hat"]
    assert "no mask has a target: none of 4 has a level above 127" in row.data_notes
    assert {(metrics["IoU"], metrics["Pd"]) for metrics in row.metrics.values()} == {(0, None)}


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ("fixed(300)", "no prediction has a target: none of 4 has a score above the cut"),
        ("fixed(-1)", "every pixel of every prediction is target: all scores of all 4 are above the cut"),
        (None, None),
    ],
)
def test_a_cut_that_divides_nothing_is_told(run_here, capsys, cut, told):
    row = run_here("top_hat", threshold=cut)["top_hat"]
    assert row.status is Status.OK
    assert row.data_notes == ((told,) if told else ())
    assert ("top_hat on mine: " in capsys.readouterr().err) == bool(told)
