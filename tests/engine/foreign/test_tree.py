"""Which folders of a tree are scored."""

import cv2
import numpy as np
import pytest

from irsam_zoo.engine.foreign.tree import find_jobs
from irsam_zoo.zoo import UsageError


@pytest.fixture
def look(tmp_path):
    """Predictions of two methods as BasicIRSTD leaves them; gives a function that finds them below a part of the tree."""
    own = tmp_path / "data" / "NUAA-SIRST"
    places = [
        own / "images",
        own / "masks",
        *(tmp_path / "results" / name for name in ("NUAA-SIRST/ACM", "NUAA-SIRST/B", "log")),
    ]
    for place in places:
        place.mkdir(parents=True)
        for image_id in ("Misc_1", "Misc_2"):
            cv2.imwrite(str(place / f"{image_id}.png"), np.zeros((20, 20), np.uint8))
    (own / "splits" / "two").mkdir(parents=True)
    for name in ("train", "test"):
        (own / "splits" / "two" / f"{name}.txt").write_text("Misc_1\nMisc_2\n")

    def go(part, **options):
        jobs, passed = find_jobs(tmp_path / "results" / part, root=tmp_path / "data", **{"split": "two"} | options)
        return [(job.folder.name, job.dataset.name) for job in jobs], passed

    return go


BOTH = [("ACM", "nuaa-sirst"), ("B", "nuaa-sirst")]


def test_the_names_of_folders_tell_data_sets(look, tmp_path):
    jobs, passed = look("")
    assert jobs == BOTH
    assert len(passed) == 1
    assert passed[0].startswith(f"{tmp_path / 'results' / 'log'}: unknown data set 'log'; known: ")
    assert passed[0].endswith("; left out")
    assert look("NUAA-SIRST") == (BOTH, [])


def test_a_named_data_set_needs_no_names_of_folders(look):
    assert look("", dataset="nuaa-sirst") == (BOTH, [])
    assert look("NUAA-SIRST/B", dataset="nuaa-sirst") == (BOTH[1:], [])
    assert look("log", dataset="nuaa-sirst") == ([("log", "nuaa-sirst")], [])


def test_a_folder_that_tells_no_data_set(look):
    with pytest.raises(
        UsageError, match="ACM tells no data set; say --dataset, or name a folder of <data set>/<method>/ folders"
    ):
        look("NUAA-SIRST/ACM")


def test_own_predictions_of_a_run_lie_a_folder_deeper(look, tmp_path):
    (tmp_path / "results" / "NUAA-SIRST").rename(tmp_path / "two")
    (tmp_path / "results" / "nuaa-sirst").mkdir()
    (tmp_path / "two").rename(tmp_path / "results" / "nuaa-sirst" / "two")
    assert look("")[0] == BOTH
    (tmp_path / "results" / "nuaa-sirst" / "three").mkdir()
    (tmp_path / "results" / "log").rename(tmp_path / "results" / "nuaa-sirst" / "three" / "B")
    with pytest.raises(UsageError, match=r"would all be filed as B: .*three/B, .*two/B; score them one by one, with --name"):
        look("")


def test_a_set_without_a_prediction_of_its_test_images(look, tmp_path):
    for name in ("nudt_sirst", "synthetic"):
        (tmp_path / "results" / name / "ACM").mkdir(parents=True)
    jobs, passed = look("")
    assert jobs == BOTH
    assert "NUDT-SIRST is not under" in passed[1]
    assert "no split 'two' of synthetic" in passed[2]
    (tmp_path / "results" / "NUAA-SIRST").rename(tmp_path / "gone")
    (tmp_path / "results" / "nuaa-sirst").mkdir()
    with pytest.raises(UsageError, match="NUDT-SIRST is not under"):
        look("nudt_sirst")
    assert look("") == ([("nuaa-sirst", "nuaa-sirst")], [])  # the reader says what is missing
