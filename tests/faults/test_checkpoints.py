"""Checkpoints of strangers: no code of theirs runs, no memory out of proportion is taken, and only their own row fails."""

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from irsam_zoo.commands import door
from irsam_zoo.zoo import ZooError, build_method
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, save_checkpoint
from irsam_zoo.zoo.weights.find import find_checkpoint
from tests.user_set import PROGRAM, row_of, run, write_set

pytestmark = pytest.mark.faults
METHOD = "acmnet"
MOST_MEMORY = 400  # MB that reading any one file may add to what a process has


@pytest.fixture(scope="module")
def weights():
    return build_method(METHOD, weights=None).network.state_dict()


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def payloads(canary):
    """Objects that write a file, each by another way, where they are unpickled."""
    code = f"open({str(canary)!r}, 'w').close()"
    yield "os.system", Call(os.system, f"touch {canary}")
    yield "os.popen", Call(os.popen, f"touch {canary}")
    yield "exec", Call(exec, code)
    yield "eval", Call(eval, code)
    yield "open", Call(open, str(canary), "w")
    yield "subprocess", Call(subprocess.check_call, ["touch", str(canary)])
    yield "compile", Call(exec, Call(compile, code, "x", "exec"))
    yield "map", Call(list, Call(map, os.system, [f"touch {canary}"]))
    yield "pickle in pickle", Call(pickle.loads, pickle.dumps(Call(os.system, f"touch {canary}")))
    yield "numpy", Call(np.savetxt, str(canary), [1])
    yield "torch", Call(torch.save, 1, str(canary))
    yield "state", Call(dict, state={"x": Call(os.system, f"touch {canary}")})


def torch_zip(data, **members):
    """A file as torch.save writes it, with a pickle of one's own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {"data.pkl": data, "byteorder": b"little", "version": b"3\n", **members}.items():
            archive.writestr(f"archive/{name}", content)
    return file.getvalue()


def test_no_payload_of_a_pickle_runs(tmp_path, weights, tried):
    canary, number = tmp_path / "canary", 0
    for name, payload in payloads(canary):
        plain = [pickle.dumps(payload, protocol) for protocol in (0, 2, 4)]
        inside = pickle.dumps({"state_dict": dict.fromkeys(weights), "x": payload}, 2)
        header = b"".join(pickle.dumps(item, 2) for item in (torch.serialization.MAGIC_NUMBER, 1001, {"little_endian": True}))
        files = [*plain, inside, *map(torch_zip, plain[1:]), torch_zip(inside), header + plain[1], header + inside]
        for data in files:
            tried("payloads")
            number += 1
            path = tmp_path / f"{number}.pth"
            path.write_bytes(data)
            with pytest.raises(ZooError):
                build_method(METHOD, checkpoint=str(path))
            assert not canary.exists(), name


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(start, end, shape=(4,), dtype="F32"):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}}


def npz(array_header, size):
    """An archive of one array of zeros that says and unpacks to what it likes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(array_header)) + array_header + bytes(size))
    return file.getvalue()


NPY = "{{'descr': '<f4', 'fortran_order': False, 'shape': ({},)}}\n"
WRITTEN = io.BytesIO()
torch.save({"a": torch.zeros(1000)}, WRITTEN)
BAD_FILES = {
    "nothing": b"",
    "web page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "text": b"hello, world" * 100,
    "zeros": bytes(10_000),
    "zip cut": WRITTEN.getvalue()[:700],
    "zip cut at its end": WRITTEN.getvalue()[:-40],
    "empty zip": b"PK\5\6" + bytes(18),
    "zip of something else": npz(NPY.format(1).encode(), 4).replace(b"a.npy", b"a.txt"),
    "header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{" + bytes(100),
    "header of 4 GB": struct.pack("<Q", 2**32) + b"{}" + bytes(100),
    "header beyond the file": struct.pack("<Q", 10_000) + b"{}",
    "header no JSON": safetensors(b"{" * 500),
    "header nested": safetensors(b'{"a":' * 50_000),
    "offsets outside the file": safetensors(tensor(0, 1 << 40, (1 << 38,)), bytes(16)),
    "offsets before the file": safetensors(tensor(-16, 0), bytes(16)),
    "offsets reversed": safetensors(tensor(16, 0), bytes(16)),
    "offsets that overlap": safetensors(tensor(0, 16) | {"b": tensor(8, 24)["a"]}, bytes(24)),
    "shape larger than its bytes": safetensors(tensor(0, 16, (1 << 40,)), bytes(16)),
    "shape of 2^128": safetensors(tensor(0, 16, (1 << 62, 1 << 62)), bytes(16)),
    "no such type": safetensors(tensor(0, 16, dtype="F33"), bytes(16)),
    "metadata a list": safetensors({"__metadata__": [1], **tensor(0, 16)}, bytes(16)),
    "metadata a number": safetensors({"__metadata__": {"irsam_zoo": "5"}, **tensor(0, 16)}, bytes(16)),
    "metadata no JSON": safetensors({"__metadata__": {"irsam_zoo": "{"}, **tensor(0, 16)}, bytes(16)),
    "metadata null": safetensors({"__metadata__": {"irsam_zoo": "null"}, **tensor(0, 16)}, bytes(16)),
    "metadata nested": safetensors({"__metadata__": {"irsam_zoo": "[" * 50_000}, **tensor(0, 16)}, bytes(16)),
    "npz of 4 GB": npz(NPY.format(1 << 28).encode(), 1 << 28),
    "npz that says 2^60": npz(NPY.format(1 << 60).encode(), 100),
    "npz of objects": npz(NPY.format(1).replace("<f4", "|O").encode(), 100),
    "npz of code": npz(b"__import__('os').system('touch canary')\n", 100),
    "MXNet of 2^60 arrays": struct.pack("<QQQ", 0x112, 0, 1 << 60),
    "MXNet of 2^31 axes": struct.pack("<QQQIiI", 0x112, 0, 1, 0xF993FAC9, 0, 1 << 31),
    "storage of 2^60": torch_zip(WRITTEN.getvalue() and b"\x80\2}q\0(X\1\0\0\0aN" + b"u."),
    "memo bomb": torch_zip(b"\x80\2]q\0" + b"".join(b"h\0h\0\x86q\1" for _ in range(10_000)) + b"."),
    "stack of a million": torch_zip(b"\x80\2" + b"(" * 1_000_000 + b"."),
}


def test_every_bad_file_is_one_line(tmp_path, monkeypatch, tried):
    monkeypatch.chdir(tmp_path)
    for name, data in BAD_FILES.items():
        tried("checkpoints")
        path = tmp_path / f"{name}.bin"
        path.write_bytes(data)
        with pytest.raises(ZooError, match=name.replace("^", r"\^")) as error:
            build_method(METHOD, checkpoint=str(path))
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 1000
    assert not (tmp_path / "canary").exists()


def test_reading_no_file_takes_much_memory(tmp_path, tried):
    for name, data in BAD_FILES.items():
        tried("checkpoints")
        (tmp_path / f"{name}.bin").write_bytes(data)
    code = (
        "import sys\nfrom pathlib import Path\nfrom irsam_zoo.runtime.memory import limit_memory\n"
        "from irsam_zoo.zoo.weights.checkpoints import load_checkpoint\nfrom irsam_zoo.zoo import ZooError\n"
        f"limit_memory({MOST_MEMORY} / 1024)\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.bin')):\n"
        "    try:\n        load_checkpoint(path)\n"
        "    except ZooError as error:\n        assert 'emory' not in str(error), error\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROGRAM.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def changed(weights, kind):
    """Weights of the method with one fault."""
    state = {key: value.clone() for key, value in weights.items()}
    name = next(key for key, value in state.items() if value.is_floating_point() and value.ndim == 4)
    if kind == "NaN":
        state[name][0, 0, 0, 0] = float("nan")
    elif kind == "infinite":
        state[name][-1] = float("inf")
    elif kind == "too large for float32":
        state[name] = state[name].double()
        state[name][0, 0, 0, 0] = 1e300
    elif kind == "integers":
        state[name] = (state[name] * 100).to(torch.int32)
    elif kind == "bytes":
        state[name] = (state[name] * 100).to(torch.int8)
    elif kind == "booleans":
        state[name] = state[name] > 0
    elif kind == "complex":
        state[name] = state[name].to(torch.complex64)
    elif kind == "another shape":
        state[name] = state[name][:-1]
    elif kind == "flattened":
        state[name] = state[name].flatten()
    elif kind == "one missing":
        del state[name]
    elif kind == "one more":
        state["extra.weight"] = torch.zeros(3)
    return state


KINDS = ["NaN", "infinite", "too large for float32", "integers", "bytes", "booleans", "complex", "another shape", "flattened"]


@pytest.mark.parametrize("form", ["ours", "safetensors", "torch", "old torch"])
@pytest.mark.parametrize("kind", [*KINDS, "one missing", "one more"])
def test_weights_that_do_not_fit_are_refused_when_they_are_loaded(tmp_path, weights, kind, form, tried):
    tried("checkpoints")
    state, path = changed(weights, kind), tmp_path / "weights.bin"
    if form == "ours":
        save_checkpoint(path, state, {"method": METHOD})
    elif form == "safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "torch")
    with pytest.raises(ZooError, match=r"weights\.bin (does not fit|is of no use)"):
        build_method(METHOD, checkpoint=str(path))


def test_weights_of_another_method_are_refused(tmp_path, tried):
    tried("checkpoints")
    save_checkpoint(tmp_path / "a.safetensors", build_method("alcnet", weights=None).network.state_dict(), {"method": "alcnet"})
    with pytest.raises(ZooError, match="does not fit"):
        build_method(METHOD, checkpoint=str(tmp_path / "a.safetensors"))


def test_a_flipped_bit_is_noticed_by_the_name(tmp_path, weights, tried):
    path = tmp_path / "weights"
    digest = save_checkpoint(path, weights, {"method": METHOD})
    named = path.rename(tmp_path / f"{METHOD}_mine_short-{digest[:8]}.safetensors")
    build_method(METHOD, checkpoint=str(named))
    whole = named.read_bytes()
    for place in (len(whole) - 1, len(whole) - 1000, len(whole) // 2):
        tried("checkpoints")
        named.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ZooError, match="of its name: it was changed"):
            build_method(METHOD, checkpoint=str(named))


def test_integers_need_their_scales(tmp_path, weights, tried):
    tried("checkpoints", 2)
    name = next(key for key, value in weights.items() if value.ndim == 4)
    for kind in (torch.int32, torch.uint8):
        save_checkpoint(tmp_path / "a", weights, {"weights_as": "int8, one scale an output channel"})
        state, _ = load_checkpoint(tmp_path / "a")
        state[name], state[f"{name}:scale"] = state[name].to(kind), torch.ones(1)
        save_checkpoint(tmp_path / "a", state, {"weights_as": "int8, one scale an output channel"})
        with pytest.raises(ZooError, match="no 8-bit integer with float32 scales"):
            build_method(METHOD, checkpoint=str(tmp_path / "a"))


METADATA = {
    "evaluation a number": {"evaluation": 5},
    "evaluation a list": {"evaluation": ["input_size"]},
    "seen a list of numbers": {"seen": [1, 2]},
    "seen a text": {"seen": "mine"},
    "seen null": {"seen": None},
    "train_ids a number": {"train_ids": 5},
    "schedule a dict": {"schedule": {}},
    "seed a text": {"seed": "x"},
}


def test_a_folder_of_bad_checkpoints_costs_the_rows_of_their_methods(tmp_path, weights, capsys, tried):
    """One network has a damaged file, another a folder, another a link to nothing; the classical method is scored."""
    folder, weights_dir = write_set(tmp_path / "mine"), tmp_path / "checkpoints"
    weights_dir.mkdir()
    tried("checkpoints", 4 + len(METADATA))
    (weights_dir / "acmnet_mine.safetensors").write_bytes(BAD_FILES["offsets outside the file"])
    (weights_dir / "alcnet_mine_short-01234567.safetensors").mkdir()
    os.symlink("nowhere", weights_dir / "dnanet_mine_short-01234567.safetensors")
    os.symlink("uiunet_mine.safetensors", weights_dir / "uiunet_mine.safetensors")
    for number, metadata in enumerate(METADATA.values()):
        save_checkpoint(weights_dir / f"acmnet_x_short-0000000{number}.safetensors", {"a": torch.zeros(2)}, metadata)
    methods = ["acmnet", "alcnet", "dnanet", "uiunet", "top_hat"]
    assert run(folder, tmp_path / "out", *methods, "--checkpoints", str(weights_dir)) == 1
    statuses = [row_of(tmp_path / "out", method)["status"] for method in methods]
    assert statuses == ["failed", "failed", "no checkpoint", "no checkpoint", "ok"]
    assert "Traceback" not in capsys.readouterr().err


def test_a_folder_of_checkpoints_that_cannot_be_read(tmp_path, monkeypatch, tried):
    tried("folders")
    folder = write_set(tmp_path / "mine")

    def refuse(directory, method, *_, **__):
        raise PermissionError(13, "Permission denied", str(directory))

    monkeypatch.setattr("irsam_zoo.engine.plan.find_checkpoint", refuse)
    assert run(folder, tmp_path / "out", "acmnet", "top_hat") == 1
    assert "Permission denied" in row_of(tmp_path / "out", "acmnet")["reason"]
    assert row_of(tmp_path / "out", "top_hat")["status"] == "ok"


def test_list_and_weights_pass_over_bad_checkpoints(tmp_path, capsys, tried):
    for name, data in BAD_FILES.items():
        tried("checkpoints")
        (tmp_path / f"acmnet_{name}.safetensors").write_bytes(data)
    assert find_checkpoint(tmp_path, "acmnet", "nuaa-sirst") is None
    assert door.main(["list", "--checkpoints", str(tmp_path)]) == 0
    assert "Traceback" not in capsys.readouterr().err
