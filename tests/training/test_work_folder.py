"""Whose a work folder is, and the state that is gone on from."""

import pytest

from irsam_zoo.results.files import locked
from irsam_zoo.training.train import TrainOptions, train
from irsam_zoo.training.work_folder import claim, last_state
from irsam_zoo.zoo import UsageError, ZooError


def test_a_note_that_a_kill_cut_is_made_up_for(tmp_path):
    assert last_state(tmp_path) is None
    for name in ("iter_9.pth", "iter_10.pth", "best_iter_99.pth"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "last_checkpoint").write_text("")
    assert last_state(tmp_path) == tmp_path / "iter_10.pth"
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_9.pth"))
    assert last_state(tmp_path) == tmp_path / "iter_9.pth"


def test_a_cut_description_of_a_run_is_one_line(tmp_path):
    claim(tmp_path, {"seed": 1})
    (tmp_path / "iter_1.pth").write_bytes(b"x")
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "iter_1.pth"))
    claim(tmp_path, {"seed": 1})
    (tmp_path / "run.json").write_text('{"see')
    with pytest.raises(UsageError, match=r"run\.json is damaged"):
        claim(tmp_path, {"seed": 1})


def test_a_work_folder_is_of_one_training_at_a_time(tmp_path):
    with locked(tmp_path, "x"), pytest.raises(ZooError, match="another run is writing to"):
        train(TrainOptions(method="acmnet", dataset="synthetic", schedule="smoke", out=str(tmp_path)))
