import os
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, load_weights, save_checkpoint
from irsam_zoo.zoo.weights.header import read_header
from irsam_zoo.zoo.weights.mxnet_params import read_params
from tests.checkpoint_forms import STATE, assert_state, mxnet_file
from tests.zoo.weights.builders import peak

# Forms


def test_old_torch_pickles_are_read(tmp_path):
    torch.save(STATE, tmp_path / "w.pkl", _use_new_zipfile_serialization=False)
    assert_state(load_checkpoint(tmp_path / "w.pkl")[0])


def test_safetensors_of_others_give_their_metadata(tmp_path):
    save_file(STATE, tmp_path / "a.safetensors", {"format": "pt", "train_ids": "7"})
    assert load_checkpoint(tmp_path / "a.safetensors")[1] == {"format": "pt"}


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


def test_npz_archives_are_read_with_mxnet_names(tmp_path):
    np.savez(tmp_path / "w.npz", **{"bn.gamma": np.ones(2), "bn.beta": np.zeros(2), "bn.running_var": np.ones(2)})
    state, _ = load_checkpoint(tmp_path / "w.npz")
    assert sorted(state) == ["bn.bias", "bn.running_var", "bn.weight"]


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_arrays_of_npz_archives_are_those_of_numpy(tmp_path, write):
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "by_column": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big_endian": np.arange(3, dtype=">f4"),
        "half": np.arange(3, dtype=np.float16),
        "count": np.int64(7),
        "empty": np.zeros((0, 4)),
    }
    write(tmp_path / "w.npz", **arrays, names=np.array(["a"]), options=np.array({"lr": 1}, dtype=object))
    state, _ = load_checkpoint(tmp_path / "w.npz")
    assert list(state) == list(arrays)
    for name, values in arrays.items():
        assert state[name].dtype == torch.from_numpy(np.asarray(values).astype(values.dtype.newbyteorder("="))).dtype
        np.testing.assert_array_equal(state[name].numpy(), values)


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
        (struct.pack("<QQQIiIqiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, -1, 1, 0, 0) + bytes(8), "negative"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 1) + struct.pack("<Q", 1) + b"a", "names"),
    ],
)
def test_damaged_mxnet_params_are_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        read_params(data)


# Refusals


def test_the_way_out_of_torchscript_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = nn.Linear(1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save("w.pt")
        with pytest.raises(ZooError, match=r"w\.pt is a TorchScript file") as caught:
            load_checkpoint("w.pt")
        exec(str(caught.value).rpartition(": ")[2], {"torch": torch})
    assert_state(load_checkpoint("weights.pth")[0], module.state_dict())


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_way_out_of_a_plain_pickle_works(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({key: value.numpy() for key, value in STATE.items()}, protocol))
    with pytest.raises(ZooError, match=r"w\.pkl is a plain pickle") as caught:
        load_checkpoint("w.pkl")
    exec(str(caught.value).rpartition(": ")[2], {"pickle": pickle, "numpy": np})
    assert_state(load_checkpoint("weights.npz")[0])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        (b"\n <html>", "web page"),
        (b"hello, this is text", "no checkpoint that can be read"),
        (b"\x80\x02garbage", "damaged or cut short"),
        (b"PK\x03\x04garbage", "damaged or cut short"),
        (b"PK\x05\x06" + bytes(18), "zip archive and no checkpoint .it is empty"),
        (b"cos\nsystem\n(S'true'\ntR.", "no checkpoint that can be read"),
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


SAFETENSORS = {
    "a header longer than the file": (10**9, b"{}"),
    "a header of a terabyte": (10**12, b"{}"),
    "offsets outside the file": (None, b'{"a":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}'),
    "offsets that begin behind the end": (None, b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[9,5]}}'),
    "another size than the shape's": (None, b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}'),
    "metadata that is no object": (None, b'{"__metadata__":"x","a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
    "no JSON": (None, b'{"a":'),
    "JSON without an end": (None, b'{"a":' * 2000),
}


@pytest.mark.parametrize("kind", SAFETENSORS)
def test_damaged_safetensors_are_refused_in_one_line(tmp_path, kind):
    length, header = SAFETENSORS[kind]
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + bytes(4))
    with pytest.raises(ZooError, match=r"w\.safetensors is damaged or cut short") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert peak(load_checkpoint, path) < 2**20
    assert read_header(path) == {}


@pytest.mark.parametrize(
    "metadata",
    ["[1]", "3", "null", "{", '{"train_ids": 3}', '{"train_ids": [[]]}', '{"seen": [1]}', '{"seen": {"x": 1}}', '{"split": 1}'],
)
def test_our_header_has_to_hold_what_we_write(tmp_path, metadata):
    path = tmp_path / "w.safetensors"
    save_file(STATE, path, {"irsam_zoo": metadata})
    with pytest.raises(ZooError, match=r"w\.safetensors is damaged or cut short"):
        load_checkpoint(path)
    assert read_header(path) == {}


def test_entries_of_others_are_not_taken_for_our_provenance(tmp_path):
    torch.save({"state_dict": STATE, "dataset": "x", "split": "y", "train_ids": 3, "start": 1, "best": 0.5}, tmp_path / "w.pth")
    assert load_checkpoint(tmp_path / "w.pth")[1] == {"best": 0.5}


def test_a_small_npz_archive_that_unpacks_to_much_is_refused_before(tmp_path):
    path = tmp_path / "w.npz"
    np.savez_compressed(path, a=np.zeros(2**25, np.float32))
    assert path.stat().st_size < 2**18
    with pytest.raises(ZooError, match=r"damaged.*unpacks to 134,217,\d+ bytes, and a file of its size may take"):
        load_checkpoint(path)
    assert peak(load_checkpoint, path) < 2**20


def test_an_npz_array_that_claims_more_than_it_holds_is_refused_before(tmp_path):
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1073741824,), }"
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64))
    with pytest.raises(ZooError, match=r"damaged.*shorter than it says"):
        load_checkpoint(path)
    assert peak(load_checkpoint, path) < 2**20


def test_files_that_cannot_be_opened_are_named(tmp_path):
    with pytest.raises(ZooError, match=r"no checkpoint file .*none\.pth"):
        load_checkpoint(tmp_path / "none.pth")
    with pytest.raises(ZooError, match="cannot be read as a checkpoint: Is a directory"):
        load_checkpoint(tmp_path)
    with pytest.raises(ZooError, match="cannot be read as a checkpoint"):
        load_checkpoint(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="cannot be read as a checkpoint: Not a directory"):
        load_checkpoint(tmp_path / "file" / "w.pth")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_named(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    (tmp_path / "w.pth").chmod(0)
    with pytest.raises(ZooError, match="cannot be read as a checkpoint: Permission denied"):
        load_checkpoint(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ({"optimizer": {"a": torch.zeros(1)}, "epoch": 3}, "its keys: optimizer, epoch"),
        ({}, "its keys: "),
        ([1, 2], "a list"),
        (torch.zeros(3), "a tensor"),
        (nn.ReLU(), "torch.nn.modules.activation.ReLU"),
        (nn.ReLU, "torch.nn.modules.activation.ReLU"),
        ({"state_dict": {"a": np.zeros(3)}}, "its keys: state_dict"),
    ],
)
def test_a_file_without_weights_is_told_what_it_holds(tmp_path, content, held):
    torch.save(content, tmp_path / "o.pth")
    with pytest.raises(ZooError, match=rf"holds no state dict \({held}"):
        load_checkpoint(tmp_path / "o.pth")


def test_an_archive_around_a_checkpoint_is_told_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("weights/acm.pth", "x")
    with pytest.raises(ZooError, match=r"zip archive and no checkpoint \(its first file is weights/acm.pth\); unpack it"):
        load_checkpoint(tmp_path / "z.zip")


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "x" * 10_000])
def test_names_from_a_file_cannot_break_the_line(tmp_path, name):
    path = tmp_path / "w.pth"
    texts = []
    for content in ({name: 1}, {name: STATE, f"{name}2": STATE | {"a": STATE["conv.bias"]}}, {"x": {name: STATE["conv.bias"]}}):
        torch.save(content, path)
        with pytest.raises(ZooError) as caught:
            load_weights(nn.Linear(1, 1), load_checkpoint(path)[0], source=path)
        texts.append(str(caught.value))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ZooError) as caught:
        load_checkpoint(path)
    texts.append(str(caught.value))
    path.write_bytes(b"\x80\x04\x8c\x02os\x8c" + bytes([min(len(name), 250)]) + name[:250].encode() + b"\x93.")
    with pytest.raises(ZooError) as caught:
        load_checkpoint(path)
    texts.append(str(caught.value))
    assert all(text.isprintable() and len(text) < 2000 for text in texts)


@pytest.mark.parametrize("form", ["w.npz", "w.pth"])
def test_a_member_that_unpacks_to_more_than_it_says_is_not_unpacked(tmp_path, form):
    path = tmp_path / form
    name = "a.npy" if form == "w.npz" else "archive/data.pkl"
    size = 0x07654321  # bytes that the archive has in no other place
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 100)))
    with pytest.raises(ZooError, match=r"damaged or cut short \(Bad CRC"):
        load_checkpoint(path)
    assert peak(load_checkpoint, path) < 2**20


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_that_are_packed_as_no_program_packs_them_are_refused(tmp_path, compression):
    path = tmp_path / "w.npz"  # these unpack as much as they like at once
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", bytes(2**24))
    with pytest.raises(ZooError, match="neither stored nor deflated"):
        load_checkpoint(path)
