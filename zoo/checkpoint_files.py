"""The file forms that weights come in. No form is read in a way that could run code."""

import argparse
import json
import pickle
import pickletools
import re
import struct
import zipfile

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from zoo import mxnet_params
from zoo.errors import ZooError

METADATA_KEY = "irsam_zoo"  # the one entry of our safetensors headers; it holds JSON
WRAPPERS = ("state_dict", "model_state_dict", "net", "model", "network", "params")
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.")
TORCH_START = pickle.dumps(torch.serialization.MAGIC_NUMBER, protocol=2)
LFS_START = b"version https://git-lfs"


class _Array:
    """Stands in for a NumPy array beside the weights, which nothing reads."""

    def __init__(self, *arguments):
        pass

    def __setstate__(self, state):
        pass


# Training scripts store metrics and options beside the weights; rebuilding these types runs nothing.
SAFE_GLOBALS = [
    argparse.Namespace,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "?")),
    *((np._core.multiarray.scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((_Array, f"numpy.{name}") for name in ("ndarray", "core.multiarray._reconstruct", "_core.multiarray._reconstruct")),
]
MXNET_NAMES = ((r"(^|\.)gamma$", r"\1weight"), (r"(^|\.)beta$", r"\1bias"))


def read_checkpoint(path, own_keys=()):
    """``(state dict, metadata)`` of a file; see `zoo.checkpoints.load_checkpoint`."""
    if not path.is_file():
        raise ZooError(f"no checkpoint file {path}")
    with open(path, "rb") as handle:
        start = handle.read(512)
    if not start:
        raise ZooError(f"{path} is empty; download it again")
    if start.startswith(LFS_START):
        raise ZooError(f"{path} is a Git-LFS pointer, not the file; run `git lfs pull` where it came from")
    if re.match(rb"\s*<(!doctype|html|\?xml)", start, re.IGNORECASE):
        raise ZooError(f"{path} is a web page, not a checkpoint; download it in a browser and check that the link is direct")
    try:
        read = _reader(path, start)
        state_dict, metadata = read(path)
    except ZooError:
        raise
    except Exception as error:  # damaged bytes fail anywhere in four parsers, with any exception
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise ZooError(f"{path} is damaged or cut short ({reason}); download it again") from error
    if read is not _read_safetensors:
        state_dict = _without_prefix(state_dict, own_keys)
    return state_dict, metadata


def _reader(path, start):
    if start[6:9] == b"\0\0{":  # a length of 8 bytes, the first of which may be any, and JSON
        return _read_safetensors
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            export = f"torch.save(torch.jit.load({path.name!r}).state_dict(), 'weights.pth')"
            raise ZooError(f"{path} is a TorchScript file, which holds code; if you trust it, run: {export}")
        return _read_npz if all(name.endswith(".npy") for name in names) else _read_torch
    if start.startswith(b"\x80"):
        if _is_plain_pickle(path, start):
            export = f"numpy.savez('weights.npz', **pickle.load(open({path.name!r}, 'rb')))"
            raise ZooError(
                f"{path} is a plain pickle, not a file of torch.save, and loading it could run code; if you trust it and it "
                f"holds a dict of arrays, run: {export}"
            )
        return _read_torch
    if start.startswith(struct.pack("<Q", mxnet_params.MAGIC)):
        return _read_mxnet
    raise ZooError(f"{path} is no checkpoint that can be read: expected safetensors, torch.save, .npz or MXNet .params")


def _is_plain_pickle(path, start):
    """Whether a file is one whole pickle. One of torch.save has several, the first of which is a number."""
    if start.startswith(TORCH_START):
        return False
    try:
        with open(path, "rb") as handle:
            for _ in pickletools.genops(handle):
                pass
            return not handle.read(1)
    except ValueError:
        return False


def read_header(path):
    """What our trainer stored beside the tensors of a safetensors file; empty for a file that cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return _header(file)
    except (OSError, SafetensorError, ValueError):
        return {}


def _header(file):
    metadata = file.metadata() or {}
    return json.loads(metadata[METADATA_KEY]) if METADATA_KEY in metadata else metadata


def _read_safetensors(path):
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, _header(file)  # noqa: SIM118 - not a dict


def _read_npz(path):
    with np.load(path, allow_pickle=False) as arrays:
        return _from_arrays({key: arrays[key] for key in arrays.files})


def _read_mxnet(path):
    return _from_arrays(mxnet_params.read_params(path.read_bytes()))


def _from_arrays(arrays):
    state_dict = {}
    for key, values in arrays.items():
        for pattern, replacement in MXNET_NAMES:
            key = re.sub(pattern, replacement, key)
        state_dict[key] = torch.from_numpy(values)
    return state_dict, {}


def _read_torch(path):
    try:
        with torch.serialization.safe_globals(SAFE_GLOBALS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"(?:GLOBAL|class) ([\w.]+)", str(error))
        if found is None:
            raise ValueError("no readable pickle") from error
        export = (
            f"x = torch.load({path.name!r}, weights_only=False); "
            "torch.save(x['state_dict'] if isinstance(x, dict) else x.state_dict(), 'weights.pth')"
        )
        raise ZooError(
            f"{path} holds the Python object {found[1]}, and loading it could run code; if you trust it, run beside the "
            f"author's code, with the file's own key for the weights where that is not state_dict: {export}"
        ) from error
    metadata = {}
    while not _is_state_dict(content):
        inner = next((name for name in WRAPPERS if isinstance(content, dict) and isinstance(content.get(name), dict)), None)
        if inner is None:
            raise ZooError(f"{path} holds no state dict; save one with torch.save(network.state_dict(), PATH)")
        metadata |= {key: value for key, value in content.items() if isinstance(value, (str, int, float))}
        content = content[inner]
    return content, metadata


def _is_state_dict(content):
    return isinstance(content, dict) and bool(content) and all(map(torch.is_tensor, content.values()))


def _without_prefix(state_dict, own_keys):
    """The state dict without the prefixes that all of its keys share, as far as none of the keys is a network's own."""
    prefix = next((p for p in PREFIXES if state_dict and all(key.startswith(p) for key in state_dict)), None)
    if prefix is None or any(key in own_keys for key in state_dict):
        return state_dict
    return _without_prefix({key.removeprefix(prefix): value for key, value in state_dict.items()}, own_keys)
