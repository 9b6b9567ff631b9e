import argparse
import os
import pickle
import re
import struct
import warnings
import zipfile
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from tests.golden_networks import reference_state
from zoo import UsageError, ZooError, build_method
from zoo.checkpoints import (
    convert_file,
    convert_keys,
    convert_state_dict,
    find_checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    sha256_file,
)
from zoo.mxnet_params import read_params

STATE = {"conv.weight": torch.arange(6.0).view(1, 6, 1, 1), "conv.bias": torch.tensor([0.5])}


def assert_state(state, want=None):
    want = STATE if want is None else want
    assert list(state) == list(want)
    for key, value in want.items():
        torch.testing.assert_close(state[key], value, rtol=0, atol=0)


def mxnet_file(arrays, magic=0xF993FAC9):
    """The bytes of MXNet's NDArray::Save for a list of named arrays."""
    flags = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6}
    data = struct.pack("<QQQ", 0x112, 0, len(arrays))
    for values in arrays.values():
        data += struct.pack("<I", magic)
        if magic == 0xF993FAC9:
            data += struct.pack("<i", 0)
        data += struct.pack(f"<I{values.ndim}q", values.ndim, *values.shape)
        data += struct.pack("<iii", 1, 0, flags[str(values.dtype)]) + values.tobytes()
    data += struct.pack("<Q", len(arrays))
    for name in arrays:
        data += struct.pack("<Q", len(name)) + name.encode()
    return data


# Forms


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict", "net", "model", "network", "params"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.", "module.model."])
def test_torch_files_in_every_wrapping(tmp_path, wrapper, prefix):
    content = {prefix + key: value for key, value in STATE.items()}
    torch.save({wrapper: content, "epoch": 3} if wrapper else content, tmp_path / "w.pth")
    state, metadata = load_checkpoint(tmp_path / "w.pth")
    assert_state(state)
    assert metadata == ({"epoch": 3} if wrapper else {})


def test_old_torch_pickles_are_read(tmp_path):
    torch.save(STATE, tmp_path / "w.pkl", _use_new_zipfile_serialization=False)
    assert_state(load_checkpoint(tmp_path / "w.pkl")[0])


def test_metrics_and_options_beside_the_weights_are_no_obstacle(tmp_path):
    content = {"state_dict": STATE, "best": np.float64(0.7), "args": argparse.Namespace(lr=0.05), "optimizer": {"step": 1}}
    torch.save(content, tmp_path / "w.pth.tar")
    assert_state(load_checkpoint(tmp_path / "w.pth.tar")[0])


def test_arrays_beside_the_weights_are_no_obstacle(tmp_path):
    arrays = {"curve": np.zeros(3), "counts": np.arange(4, dtype=np.uint8), "grid": np.ones((2, 2), np.float32)}
    torch.save({"state_dict": STATE, **arrays}, tmp_path / "w.pth")
    assert_state(load_checkpoint(tmp_path / "w.pth")[0])


def test_a_prefix_that_is_the_networks_own_stays(tmp_path):
    own = {"net." + key: value for key, value in STATE.items()}
    for prefix in ("", "module.", "net."):
        torch.save({"net": {prefix + key: value for key, value in own.items()}}, tmp_path / "w.pth")
        assert_state(load_checkpoint(tmp_path / "w.pth", own)[0], own)


def test_a_prefix_that_only_some_keys_have_stays(tmp_path):
    state = {"model.a": torch.zeros(1), "b": torch.zeros(1)}
    torch.save(state, tmp_path / "w.pth")
    assert_state(load_checkpoint(tmp_path / "w.pth")[0], state)


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


def test_safetensors_of_others_give_their_metadata(tmp_path):
    from safetensors.torch import save_file

    save_file(STATE, tmp_path / "a.safetensors", {"format": "pt"})
    assert load_checkpoint(tmp_path / "a.safetensors")[1] == {"format": "pt"}


def test_npz_archives_are_read_with_mxnet_names(tmp_path):
    np.savez(tmp_path / "w.npz", **{"bn.gamma": np.ones(2), "bn.beta": np.zeros(2), "bn.running_var": np.ones(2)})
    state, _ = load_checkpoint(tmp_path / "w.npz")
    assert sorted(state) == ["bn.bias", "bn.running_var", "bn.weight"]


@pytest.mark.parametrize("magic", [0xF993FAC8, 0xF993FAC9])
def test_mxnet_params_are_read(tmp_path, magic):
    rng = np.random.default_rng(0)
    arrays = {
        "stem.1.weight": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "arg:stem.2.gamma": rng.normal(size=4).astype(np.float64),
        "stem.2.beta": rng.normal(size=4).astype(np.float16),
        "aux:stem.2.running_mean": rng.integers(0, 9, 4).astype(np.int64),
    }
    path = tmp_path / "acm.params"
    path.write_bytes(mxnet_file(arrays, magic))
    state, _ = load_checkpoint(path)
    assert list(state) == ["stem.1.weight", "stem.2.weight", "stem.2.bias", "stem.2.running_mean"]
    for got, want in zip(state.values(), arrays.values(), strict=True):
        np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (mxnet_file({"a": np.ones(3, np.float32)})[:-4], "ends early"),
        (mxnet_file({"a": np.ones(300, np.float32)})[:200], "buffer"),
        (mxnet_file({"a": np.ones(3, np.float32)}, magic=7), "version"),
        (struct.pack("<Q", 0x113) + bytes(16), "no MXNet"),
        (struct.pack("<QQQIi", 0x112, 0, 1, 0xF993FAC9, 1), "sparse"),
        (struct.pack("<QQQIiIqiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 1, 1, 0, 99), "type"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 1) + struct.pack("<Q", 1) + b"a", "names"),
    ],
)
def test_damaged_mxnet_params_are_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        read_params(data)


# Refusals


class Whole(nn.Module):
    """Stands for the authors' module classes."""


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module_is_refused_with_the_way_out(tmp_path, monkeypatch, zipped):
    monkeypatch.setattr(Whole, "__module__", "__main__")
    monkeypatch.setattr("__main__.Whole", Whole, raising=False)
    torch.save(Whole(), tmp_path / "acm.pkl", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ZooError, match=r"acm.pkl holds the Python object __main__.Whole.*state_dict\(\)") as caught:
        load_checkpoint(tmp_path / "acm.pkl")
    assert "\n" not in str(caught.value)


def advice(error):
    """The command that an error names."""
    return str(error).rpartition(": ")[2] if "; torch.save" not in str(error) else "x = " + str(error).partition(": x = ")[2]


@pytest.mark.parametrize("whole", [True, False])
def test_the_way_out_of_a_file_with_objects_works(tmp_path, monkeypatch, whole):
    monkeypatch.chdir(tmp_path)
    module = nn.Sequential(nn.Linear(1, 1))
    torch.save(module if whole else {"state_dict": STATE, "args": argparse.Namespace(p=tmp_path)}, "w.pth")
    with pytest.raises(ZooError, match=r"w\.pth holds the Python object") as caught:
        load_checkpoint("w.pth")
    exec(advice(caught.value), {"torch": torch})
    assert_state(load_checkpoint("weights.pth")[0], module.state_dict() if whole else STATE)


def test_the_way_out_of_torchscript_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = nn.Linear(1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save("w.pt")
        with pytest.raises(ZooError, match=r"w\.pt is a TorchScript file") as caught:
            load_checkpoint("w.pt")
        exec(advice(caught.value), {"torch": torch})
    assert_state(load_checkpoint("weights.pth")[0], module.state_dict())


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_way_out_of_a_plain_pickle_works(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({key: value.numpy() for key, value in STATE.items()}, protocol))
    with pytest.raises(ZooError, match=r"w\.pkl is a plain pickle") as caught:
        load_checkpoint("w.pkl")
    exec(advice(caught.value), {"pickle": pickle, "numpy": np})
    assert_state(load_checkpoint("weights.npz")[0])


@pytest.mark.parametrize("first", [b"\x80", b"P"])
def test_a_safetensors_file_is_known_whatever_the_length_of_its_header(first, tmp_path):
    path = tmp_path / "w.safetensors"
    for length in range(0, 4096, 8):
        save_checkpoint(path, STATE, {"text": "x" * length})
        if path.read_bytes()[:1] == first:
            break
    assert path.read_bytes()[:1] == first
    state, metadata = load_checkpoint(path)
    assert state.keys() == STATE.keys()
    assert metadata == {"text": "x" * length}


def test_no_code_of_a_file_runs(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    with pytest.raises(ZooError):
        load_checkpoint(tmp_path / "evil.pth")
    torch.save({"state_dict": STATE, "x": Evil()}, tmp_path / "evil2.pth")
    with pytest.raises(ZooError, match="mkdir"):
        load_checkpoint(tmp_path / "evil2.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        (b"\n <html>", "web page"),
        (b"hello, this is text", "no checkpoint that can be read"),
        (b"\x80\x02garbage", "damaged or cut short|holds the Python object"),
        (b"PK\x03\x04garbage", "damaged or cut short"),
        (struct.pack("<Q", 40) + b'{"a": 1', "damaged or cut short"),
        (mxnet_file({"a": np.ones(3, np.float32)})[:-4], "damaged or cut short"),
    ],
)
def test_files_that_are_no_checkpoint_are_named_in_one_line(tmp_path, content, reason):
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=reason) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_files_of_each_form_are_refused(tmp_path):
    torch.save({"a": torch.rand(1000)}, tmp_path / "a.pth")
    torch.save({"a": torch.rand(1000)}, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    save_checkpoint(tmp_path / "c.safetensors", {"a": torch.rand(1000)}, {})
    np.savez(tmp_path / "d.npz", a=np.ones(1000))
    for path in sorted(tmp_path.iterdir()):
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(ZooError, match="damaged or cut short") as caught:
            load_checkpoint(path)
        assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_damaged_bytes_raise_nothing_but_an_error_of_one_line(tmp_path):
    torch.save({"state_dict": STATE, "best": np.float64(1)}, tmp_path / "a.pth")
    torch.save(STATE, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    save_checkpoint(tmp_path / "c.safetensors", STATE, {"x": 1})
    np.savez(tmp_path / "d.npz", a=np.ones(3))
    (tmp_path / "e.params").write_bytes(mxnet_file({"a": np.ones(3, np.float32)}))
    rng = np.random.default_rng(0)
    messages = []
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for _ in range(40):
            damaged = bytearray(whole)
            for place in rng.integers(0, len(whole), rng.integers(1, 8)):
                damaged[place] = rng.integers(0, 256)
            path.write_bytes(damaged)
            try:
                load_checkpoint(path)  # damage may fall on a value or on padding
            except ZooError as error:
                messages.append(str(error))
    assert len(messages) > 50
    assert not any("\n" in message for message in messages)


def test_missing_files_and_files_without_weights_are_refused(tmp_path):
    with pytest.raises(ZooError, match="no checkpoint file"):
        load_checkpoint(tmp_path / "none.pth")
    torch.save({"optimizer": {"a": torch.zeros(1)}}, tmp_path / "o.pth")
    with pytest.raises(ZooError, match="no state dict"):
        load_checkpoint(tmp_path / "o.pth")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(ZooError):
        load_checkpoint(tmp_path / "z.zip")


# Conversion


def test_rules_apply_in_turn_and_may_not_merge_keys():
    assert list(convert_keys({"a.gamma": 0}, ((r"^a", "b"), (r"^b\.gamma", "c")))) == ["c"]
    with pytest.raises(ZooError, match="two tensors"):
        convert_keys({"a": 0, "b": 0}, ((r"a|b", "c"),))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("acmnet_1ch", "basicirstd_acm_1ch"),
        ("acmnet", "acm_official_unet_tiny_b4"),
        ("alcnet_basicirstd", "basicirstd_alcnet_1ch"),
    ],
)
def test_conversion_gives_our_keys_and_leaves_them_alone(name, reference):
    _, state = reference_state(reference)
    converted = convert_state_dict(name, state)
    assert converted.keys() == build_method(name).network.state_dict().keys()
    assert convert_state_dict(name, converted).keys() == converted.keys()


def test_only_methods_with_a_network_convert():
    with pytest.raises(UsageError, match="method with a network 'top_hat'"):
        convert_state_dict("top_hat", {})
    with pytest.raises(UsageError, match="unknown method"):
        convert_state_dict("acmnett", {})


def test_a_published_file_becomes_one_of_ours(tmp_path):
    meta, state = reference_state("basicirstd_acm_1ch")
    torch.save({"state_dict": {f"model.{key}": value for key, value in state.items()}, "epoch": 400}, tmp_path / "ACM.pth.tar")
    report = convert_file("acmnet_1ch", tmp_path / "ACM.pth.tar", tmp_path / "acm.safetensors")
    assert report.sha256 == sha256_file(report.target)
    assert report.tensors == len(meta["state"])
    assert report.renamed == sum(re.search(r"\.(conv|bn)[12]\.", key) is not None for key in state)
    detector = build_method("acmnet_1ch", checkpoint=report.target)
    metadata = detector.weights.metadata
    assert (metadata["method"], metadata["source"], metadata["epoch"]) == ("acmnet_1ch", "ACM.pth.tar", 400)
    assert metadata["source_sha256"] == sha256_file(tmp_path / "ACM.pth.tar")
    torch.testing.assert_close(detector.network.deconv2.weight, state["deconv2.weight"])


def test_a_file_of_another_method_is_not_converted(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    with pytest.raises(ZooError, match=r"w.pth does not fit ACMUNet: missing: .* and \d+ more; unexpected: conv.weight"):
        convert_file("acmnet", tmp_path / "w.pth", tmp_path / "acm.safetensors")
    assert not (tmp_path / "acm.safetensors").exists()


def test_mxnet_weights_fit_the_network_they_come_from(tmp_path):
    _, state = reference_state("acm_official_unet_tiny_b4")
    norms = {key.rpartition(".")[0] for key in state if key.endswith("running_var")}
    names = {f"{norm}.weight": f"{norm}.gamma" for norm in norms} | {f"{norm}.bias": f"{norm}.beta" for norm in norms}
    arrays = {names.get(key, key): value.numpy() for key, value in state.items() if not key.endswith("num_batches_tracked")}
    (tmp_path / "acm.params").write_bytes(mxnet_file(arrays))
    network = build_method("acmnet", checkpoint=tmp_path / "acm.params").network
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            torch.testing.assert_close(value, state[key], rtol=0, atol=0)


# Fitting a network


def test_weights_that_do_not_fit_are_named_in_one_line():
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(4)))
    state = {f"layer{k}.weight": torch.zeros(1) for k in range(7)} | {"0.weight": torch.zeros(2, 1, 1, 1)}
    with pytest.raises(ZooError) as caught:
        load_weights(network, state, source="w.pth")
    assert str(caught.value) == (
        "w.pth does not fit Sequential: missing: 0.bias, 1.weight, 1.bias, 2.weight, 2.bias and 2 more; "
        "unexpected: layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight and 2 more; "
        "of another shape: 0.weight (2, 1, 1, 1) for (1, 1, 1, 1)"
    )


def test_only_the_batch_counter_may_be_missing():
    network = nn.BatchNorm2d(2)
    state = {key: value + 1 for key, value in network.state_dict().items() if key != "num_batches_tracked"}
    load_weights(network, state, source="w.pth")
    assert network.weight.tolist() == [2, 2]
    with pytest.raises(ZooError, match="missing: running_var"):
        load_weights(network, {key: value for key, value in state.items() if key != "running_var"}, source="w.pth")


# Finding


def test_the_longest_schedule_is_found_and_of_it_the_newest(tmp_path):
    assert find_checkpoint(tmp_path / "none", "acmnet", "nuaa-sirst") is None

    def put(name, age):
        path = tmp_path / f"{name}.safetensors"
        path.touch()
        os.utime(path, (10_000 - age, 10_000 - age))
        return path

    put("acmnet_fpn_nuaa-sirst_paper-00000000", 0)
    put("acmnet_nudt-sirst_paper-00000000", 0)
    put("acmnet_nuaa-sirst_paper-notahash", 0)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") is None
    smoke = put("acmnet_nuaa-sirst_smoke-1a2b3c4d", 0)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == smoke
    put("acmnet_nuaa-sirst_short-1a2b3c4d", 9)
    newest = put("acmnet_nuaa-sirst_short-0a2b3c4d", 5)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == newest
    paper = put("acmnet_nuaa-sirst_paper-1a2b3c4d", 50)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == paper
    by_hand = put("acmnet_nuaa-sirst", 99)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") == by_hand


def test_weights_of_a_union_serve_its_members_and_sets_without_a_split(tmp_path):
    """After those of the very data set, whatever their schedule."""

    def put(name, split, *seen):
        path = tmp_path / f"dnanet_{name}-01234567.safetensors"
        save_checkpoint(path, {"w": torch.zeros(1)}, {"split": split, "seen": {data_set: {} for data_set in seen}})
        return path

    find = partial(find_checkpoint, tmp_path, "dnanet")
    union = put("sirst3_budget", "irsam", "irstd-1k", "nudt-sirst", "nuaa-sirst")
    assert find("nuaa-sirst", split="irsam") == find("synthetic", split="irsam") == find("my_set", split="all") == union
    assert find("nuaa-sirst", split="dnanet") is None
    assert find_checkpoint(tmp_path, "dnanet_x", "nuaa-sirst") is None
    put("irstd-1k_paper", "irsam", "irstd-1k")
    assert find("nuaa-sirst", split="irsam") == union  # another single set's weights serve no other
    own = put("nuaa-sirst_smoke", "irsam", "nuaa-sirst")
    assert find("nuaa-sirst", split="irsam") == own
    assert find("nuaa-sirst", split="irsam", schedule="short") == union
    pair = put("nuaa-sirst+nudt-sirst_paper", "irsam", "nuaa-sirst", "nudt-sirst")
    assert find("nudt-sirst", split="irsam") == pair
    assert find("irstd-1k", split="irsam", schedule="budget") != pair


def test_weights_of_another_split_or_of_a_lesser_schedule_are_left_out(tmp_path):
    short = tmp_path / "acmnet_nuaa-sirst_short-01234567.safetensors"
    save_checkpoint(short, {"w": torch.zeros(1)}, {"split": "irsam"})
    find = partial(find_checkpoint, tmp_path, "acmnet", "nuaa-sirst")
    assert find(split="irsam") == find(schedule="short") == short
    assert find(split="dnanet") is None
    assert find(schedule="paper") is None
    damaged = short.with_name("acmnet_nuaa-sirst_paper-01234567.safetensors")
    damaged.write_bytes(b"<html>")
    assert find(split="irsam") == damaged  # to be told of when it is loaded
