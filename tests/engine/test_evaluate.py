"""What the stored records of a cell depend on."""

import pytest
import torch

from results.row import Status
from zoo import build_method
from zoo.checkpoints import save_checkpoint


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
    monkeypatch.setattr("engine.evaluate.library_versions", lambda module, network: {"numpy": "another"})
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
