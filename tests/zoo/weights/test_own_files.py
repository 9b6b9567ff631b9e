import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from irsam_zoo.zoo import UsageError, ZooError, build_method
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, output_channels, save_checkpoint
from irsam_zoo.zoo.weights.header import METADATA_KEY, read_header
from irsam_zoo.zoo.weights.own_files import halved
from tests.checkpoint_forms import STATE


def test_safetensors_keep_keys_and_metadata_and_are_written_reproducibly(tmp_path):
    state = {"model." + key: value for key, value in STATE.items()}
    metadata = {"schedule": "paper", "epochs": 3, "lr": 0.05, "data": {"name": "x"}}
    digest = save_checkpoint(tmp_path / "new" / "a.safetensors", state, metadata)
    loaded, found = load_checkpoint(tmp_path / "new" / "a.safetensors")
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    assert found == metadata
    again = save_checkpoint(tmp_path / "b.safetensors", state, dict(reversed(metadata.items())))
    assert digest == again == sha256_file(tmp_path / "b.safetensors")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.safetensors"]
    assert (tmp_path / "b.safetensors").stat().st_mode & 0o777 == 0o644


def test_shared_and_strided_tensors_are_written(tmp_path):
    weight = torch.rand(4, 3, 3, 3).contiguous(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "a.safetensors", {"a": weight, "b": weight, "c": weight[::2]}, {})
    state, _ = load_checkpoint(tmp_path / "a.safetensors")
    assert torch.equal(state["b"], weight)
    assert torch.equal(state["c"], weight[::2])


def test_an_interrupted_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, STATE, {})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(path, STATE, {"not plain": object()})
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_is_no_target(tmp_path):
    with pytest.raises(UsageError, match=rf"{tmp_path} is a folder; name a file in it, such as {tmp_path}/<method>_"):
        save_checkpoint(tmp_path, STATE, {})
    assert list(tmp_path.iterdir()) == []


def test_two_that_write_one_file_have_temporary_names_of_their_own(tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(os, "getpid", lambda: 1)  # on two machines that share a folder
    monkeypatch.setattr(
        "irsam_zoo.zoo.weights.own_files.save_file",
        lambda tensors, path, header: (names.append(path), save_file(tensors, path)),
    )
    for _ in range(2):
        save_checkpoint(tmp_path / "a.safetensors", STATE, {})
    assert len(set(names)) == 2


def test_a_tensor_too_large_for_float16_stays():
    values = torch.tensor([1.0, 7e4])
    assert halved(values) is values
    assert halved(values[:1]).dtype == torch.float16
    assert halved(torch.tensor([3])).dtype == torch.int64


# 8-bit integers


class Network(nn.Module):
    """A layer of each kind that has output channels, and what has none."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(16, 32, 3)
        self.up = nn.ConvTranspose2d(32, 16, 4)
        self.grouped = nn.Conv1d(64, 128, 3, groups=2)
        self.linear = nn.Linear(64, 65)
        self.small = nn.Conv2d(1, 8, 3)
        self.norm = nn.BatchNorm2d(8192)
        self.table = nn.Parameter(torch.randn(64, 65))
        self.tied = self.linear


def test_the_weights_of_convolutions_and_linear_layers_have_output_channels():
    want = {"conv.weight": 0, "up.weight": 1, "grouped.weight": 0, "linear.weight": 0, "tied.weight": 0}
    assert output_channels(Network()) == want
    assert output_channels(nn.Linear(64, 64)) == {"weight": 0}


def test_the_smallest_layers_up_to_a_tenth_of_the_values_do_not_become_integers():
    sizes = (8000, 900, 100, 1000)  # channels of 1x1: a tenth is the second and third
    network = nn.Sequential(*[nn.Conv2d(1, size, 1) for size in sizes])
    assert output_channels(network) == {"0.weight": 0, "3.weight": 0}
    network[3] = nn.Conv2d(1, 880, 1)
    assert output_channels(network) == {"0.weight": 0, "1.weight": 0}


def test_integers_have_one_scale_an_output_channel_and_come_back_as_floats(tmp_path):
    network = Network()
    with torch.no_grad():
        network.conv.weight *= torch.logspace(-6, 3, 32).view(-1, 1, 1, 1)  # channels of very different size
        network.up.weight *= torch.logspace(-6, 3, 16).view(1, -1, 1, 1)
        network.linear.weight[3] = 0
        network.grouped.half()
    state, axes = network.state_dict(), output_channels(network)
    whole, small = tmp_path / "whole.safetensors", tmp_path / "small.safetensors"
    save_checkpoint(whole, state, {"x": 1})
    assert save_checkpoint(small, state, {"x": 1}, int8=axes) == save_checkpoint(tmp_path / "b", state, {"x": 1}, int8=axes)
    with safe_open(small, "pt") as file:
        assert file.metadata() == {"irsam_zoo": '{"weights_as": "int8, one scale an output channel", "x": 1}'}
        stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    assert {key for key, value in stored.items() if value.dtype == torch.int8} == set(axes)
    assert stored["conv.weight:scale"].shape == (32, 1, 1, 1)
    assert stored["up.weight:scale"].shape == (1, 16, 1, 1)
    assert (stored["linear.weight:scale"] > 0).all()
    got, metadata = load_checkpoint(small)
    assert metadata == read_header(small) == {"x": 1}
    assert got.keys() == state.keys()
    for key, value in state.items():
        if key not in axes:
            assert torch.equal(got[key], value)
            continue
        assert got[key].dtype == torch.float32
        rows, want = (x.float().movedim(axes[key], 0).flatten(1) for x in (got[key], value))
        largest = want.abs().amax(1, keepdim=True)
        assert ((rows - want).abs() <= largest / 254 * (1 + 1e-4)).all()
        torch.testing.assert_close(rows.abs().amax(1, keepdim=True), largest)


def test_a_network_loads_its_weights_from_integers(tmp_path):
    detector = build_method("acmnet", weights=None)
    state = detector.network.state_dict()
    save_checkpoint(tmp_path / "a.safetensors", state, {}, int8=output_channels(detector.network))
    save_checkpoint(tmp_path / "whole.safetensors", state, {})
    assert (tmp_path / "a.safetensors").stat().st_size < 0.4 * (tmp_path / "whole.safetensors").stat().st_size
    loaded = build_method("acmnet", checkpoint=tmp_path / "a.safetensors").network.state_dict()
    errors = [(loaded[key] - state[key]).norm() / state[key].norm() for key in output_channels(detector.network)]
    assert 0.001 < max(errors) < 0.02


def test_weights_that_are_not_finite_do_not_become_integers(tmp_path):
    network = nn.Linear(64, 64)
    network.weight.data[3, 4] = float("nan")
    with pytest.raises(ZooError, match="weight holds NaN"):
        save_checkpoint(tmp_path / "a.safetensors", network.state_dict(), {}, int8=output_channels(network))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tensors", "kind", "reason"),
    [
        ({"a": torch.zeros(2, 2, dtype=torch.int8)}, "int4, in pairs", "weights as int4, in pairs, .* update the project"),
        ({"a:scale": torch.ones(2, 1)}, "int8, one scale an output channel", "damaged"),
        ({"a": torch.zeros(9, 1), "a:scale": torch.ones(1, 9)}, "int8, one scale an output channel", "of another shape"),
    ],
)
def test_integers_of_another_kind_or_without_scales_are_refused(tmp_path, tensors, kind, reason):
    save_file(tensors, tmp_path / "a.safetensors", {"irsam_zoo": json.dumps({"weights_as": kind})})
    with pytest.raises(ZooError, match=reason):
        load_checkpoint(tmp_path / "a.safetensors")


def test_integers_without_the_header_stay_integers(tmp_path):
    save_file({"a": torch.ones(2, dtype=torch.int8)}, tmp_path / "a.safetensors")
    assert load_checkpoint(tmp_path / "a.safetensors")[0]["a"].dtype == torch.int8


@pytest.mark.parametrize(
    "odd",
    [{"schedule": "\ud800"}, {"seen": {"\udfff": []}}, {"seed": "one"}, {"iterations": 10**400}, {"plan": []}, {"recipe": "x"},
     {"start": "x"}, {"publisher": 3}, {"schedule": {}}, {"options": [1]}, {"half": "no"}, {"note": [[[]]] * 9 + [1e308 * 10]}],
)  # fmt: skip
def test_a_header_of_odd_kinds_is_refused(tmp_path, odd):
    path = tmp_path / "a.safetensors"
    save_file(dict(STATE), path, metadata={METADATA_KEY: json.dumps(odd)})
    assert read_header(path) == {}
    with pytest.raises(ZooError, match="is damaged or cut short"):
        load_checkpoint(path)
