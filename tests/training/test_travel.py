"""Begun trainings and weights that are carried."""

import json

import pytest
import torch

from irsam_zoo.training.runner import read_state
from irsam_zoo.training.travel import join_files, pack_run, split_file, unpack_run
from irsam_zoo.training.work_folder import last_state
from irsam_zoo.zoo import ZooError


@pytest.fixture
def run(tmp_path):
    """A work folder with a state of 20 steps."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(1000, generator=generator)
    moments = {0: {"step": torch.tensor(20.0), "exp_avg": weights / 3, "exp_avg_sq": weights**2}}
    state = {"state_dict": {"w": weights}, "ema_state_dict": {"w": weights * 0.9}, "meta": {"iter": 20}}
    folder = tmp_path / "run"
    folder.mkdir()
    torch.save(state | {"optimizer": {"part": {"state": moments, "param_groups": [{"lr": 0.1}]}}}, folder / "iter_20.pth")
    (folder / "iter_10.pth").write_bytes(b"older")
    (folder / "last_checkpoint").write_text("/elsewhere/iter_20.pth")
    (folder / "plan.json").write_text('{"key": "a"}')
    (folder / "20261201.log").write_text("long")
    return folder


def test_a_state_that_fits_travels_as_it_is(run, tmp_path):
    assert pack_run(run, tmp_path / "packed") is None
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["iter_20.pth", "plan.json"]
    assert unpack_run(tmp_path / "packed", tmp_path / "there")
    assert last_state(tmp_path / "there").read_bytes() == (run / "iter_20.pth").read_bytes()
    assert (tmp_path / "there" / "plan.json").read_text() == '{"key": "a"}'


def test_a_larger_one_has_its_moments_rounded_and_nothing_else(run, tmp_path):
    size = (run / "iter_20.pth").stat().st_size
    assert pack_run(run, tmp_path / "packed", largest=size - 1) is None
    (state,) = (tmp_path / "packed").glob("*.pth")
    assert state.name == "iter_20.bfloat16.pth"
    assert state.stat().st_size < size - 3800
    assert unpack_run(tmp_path / "packed", tmp_path / "there")
    before, after = read_state(run / "iter_20.pth"), read_state(last_state(tmp_path / "there"))
    for name in ("state_dict", "ema_state_dict"):
        assert torch.equal(before[name]["w"], after[name]["w"])
    old, new = (state["optimizer"]["part"]["state"][0] for state in (before, after))
    assert torch.equal(old["step"], new["step"])
    for name in ("exp_avg", "exp_avg_sq"):
        assert new[name].dtype == torch.float32
        assert not torch.equal(old[name], new[name])
        torch.testing.assert_close(old[name], new[name], rtol=2**-8, atol=0)
    assert before["optimizer"]["part"]["param_groups"] == after["optimizer"]["part"]["param_groups"]


def test_what_does_not_fit_is_not_copied(run, tmp_path):
    assert "more than the 0.0 that are carried" in pack_run(run, tmp_path / "packed", largest=5000)
    assert not (tmp_path / "packed").exists()
    assert pack_run(tmp_path / "none", tmp_path / "packed") == "nothing was saved yet"


def test_what_went_further_here_stays(run, tmp_path):
    pack_run(run, tmp_path / "packed")
    here = tmp_path / "here"
    here.mkdir()
    (here / "iter_20.pth").write_bytes(b"mine")
    (here / "last_checkpoint").write_text("iter_20.pth")
    assert not unpack_run(tmp_path / "packed", here)
    (here / "iter_20.pth").rename(here / "iter_19.pth")
    (here / "last_checkpoint").write_text("iter_19.pth")
    assert unpack_run(tmp_path / "packed", here)
    assert last_state(here).name == "iter_20.pth"


def test_a_cut_state_is_told_and_loses_nothing_here(run, tmp_path):
    pack_run(run, tmp_path / "packed")
    state = tmp_path / "packed" / "iter_20.pth"
    state.write_bytes(state.read_bytes()[:500])
    here = tmp_path / "here"
    here.mkdir()
    (here / "iter_5.pth").write_bytes(b"mine")
    with pytest.raises(ZooError, match=r"iter_20\.pth cannot be resumed from"):
        unpack_run(tmp_path / "packed", here)
    assert (here / "iter_5.pth").read_bytes() == b"mine"
    state.unlink()
    with pytest.raises(ZooError, match="has 0 states; carry the folder again"):
        unpack_run(tmp_path / "packed", here)


@pytest.mark.parametrize("largest", [7, 100, 1000])
def test_files_are_split_and_joined_to_the_byte(largest, tmp_path):
    data = bytes(range(256)) * 2
    (tmp_path / "a.safetensors").write_bytes(data)
    split_file(tmp_path / "a.safetensors", tmp_path / "out", largest)
    parts = [path for path in (tmp_path / "out").iterdir() if path.suffix != ".json"]
    assert len(parts) == -(-512 // largest)
    assert max(path.stat().st_size for path in parts) <= largest
    joined, faults = join_files(tmp_path / "out", tmp_path / "home")
    assert (joined, faults) == ([tmp_path / "home" / "a.safetensors"], [])
    assert joined[0].read_bytes() == data


@pytest.mark.parametrize("fault", ["missing", "changed", "outside", "no json"])
def test_a_file_that_is_not_whole_is_told_and_the_others_are_joined(fault, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"0123456789")
        split_file(tmp_path / name, tmp_path / "out", 4)
    note = tmp_path / "out" / "a.parts.json"
    if fault == "missing":
        (tmp_path / "out" / "a.002").unlink()
    elif fault == "changed":
        (tmp_path / "out" / "a.002").write_bytes(b"9999")
    elif fault == "outside":
        note.write_text(json.dumps(json.loads(note.read_text()) | {"name": "../a"}))
    else:
        note.write_text("{")
    joined, (told,) = join_files(tmp_path / "out", tmp_path / "home")
    assert [path.name for path in joined] == ["b"]
    assert told.startswith(f"{note}: its file cannot be put together")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["b"]
