"""The file forms that weights come in. No form is read in a way that could run code, or take memory out of proportion."""

import io
import mmap
import re
import struct
import zipfile
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch

from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.npy import npy_header
from irsam_zoo.zoo.reading import open_regular
from irsam_zoo.zoo.weights import inert_pickle, mxnet_params
from irsam_zoo.zoo.weights.header import read_header
from irsam_zoo.zoo.weights.own_files import read_safetensors
from irsam_zoo.zoo.weights.state_dicts import MOST_NAMED, Chosen, FoundTensors, Names, Rules, choose, convert_keys, printable
from irsam_zoo.zoo.weights.torch_files import StoredTensor, check_unpacked_size, open_torch, read_member, tensor_dicts

__all__ = ["read_checkpoint", "read_header"]
LFS_START = b"version https://git-lfs"
MXNET_NAMES = ((r"(^|\.)gamma$", r"\1weight"), (r"(^|\.)beta$", r"\1bias"))
# Entries by which this project tells what weights were trained on; another's of the same name mean something else.
OWN_ENTRIES = {"dataset", "split", "schedule", "train_ids", "seen", "start"}


def read_checkpoint(path: Path, own: Names = (), rules: Rules = (), key: str | None = None) -> Chosen:
    """The weights in a file, as `zoo.weights.state_dicts.Chosen`; see `zoo.weights.checkpoints.load_checkpoint`."""
    try:
        with open_regular(path) as handle:
            start = handle.read(512)
    except FileNotFoundError:
        raise ZooError(f"no checkpoint file {path}") from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read as a checkpoint: {error.strerror}") from None
    if not start:
        raise ZooError(f"{path} is empty; download it again")
    if start.startswith(LFS_START):
        raise ZooError(f"{path} is a Git-LFS pointer, not the file; run `git lfs pull` where it came from")
    if re.match(rb"\s*<(!doctype|html|\?xml)", start, re.IGNORECASE):
        raise ZooError(f"{path} is a web page, not a checkpoint; download it in a browser and check that the link is direct")
    try:
        return _read(path, start, own, rules, key)
    except ZooError:
        raise
    except inert_pickle.CommandError as error:
        raise ZooError(
            f"{path} names the function {printable(str(error))}, which no checkpoint needs: it is made to run commands "
            "where it is loaded. None was run here; do not use this file"
        ) from error
    except Exception as error:  # damaged bytes fail anywhere in five parsers, with any exception
        reason = printable((str(error).splitlines() or [type(error).__name__])[0]).rstrip(".")
        raise ZooError(f"{path} is damaged or cut short ({reason}); download it again") from error


def _read(path: Path, start: bytes, own: Names, rules: Rules, key: str | None) -> Chosen:
    if start[6:9] == b"\0\0{":  # a length of 8 bytes, the first of which may be any, and JSON
        tensors, metadata, ours = read_safetensors(path)
        if ours and key is None:
            return Chosen(tensors, metadata)
        return _chosen(path, [FoundTensors((), tensors, (metadata,))], own, rules, key)
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                export = f"torch.save(torch.jit.load({path.name!r}).state_dict(), 'weights.pth')"
                raise ZooError(f"{path} is a TorchScript file, which holds code; if you trust it, run: {export}")
            if names and all(name.endswith(".npy") for name in names):
                return _chosen(path, [FoundTensors((), _npz_tensors(archive))], own, rules, key)
            if not any(name.endswith("data.pkl") for name in names):
                held = f"its first file is {printable(names[0])}" if names else "it is empty"
                raise ZooError(f"{path} is a zip archive and no checkpoint ({held}); unpack it and name the checkpoint in it")
    elif start.startswith(b"\x80"):
        if not _is_torch_file(path):
            export = f"numpy.savez('weights.npz', **pickle.load(open({path.name!r}, 'rb')))"
            raise ZooError(
                f"{path} is a plain pickle, not a file of torch.save, and loading it could run code; if you trust it and it "
                f"holds a dict of arrays, run: {export}"
            )
    elif start.startswith(struct.pack("<Q", mxnet_params.MAGIC)):
        arrays = mxnet_params.read_params(path.read_bytes())
        tensors = {name: torch.from_numpy(values) for name, values in arrays.items()}
        return _chosen(path, [FoundTensors((), convert_keys(tensors, MXNET_NAMES))], own, rules, key)
    else:
        raise ZooError(f"{path} is no checkpoint that can be read: expected safetensors, torch.save, .npz or MXNet .params")
    with open_torch(path) as (content, tensor):
        found = tensor_dicts(content)
        if not found:
            raise ZooError(
                f"{path} holds no state dict ({_held(content)}); save one with torch.save(network.state_dict(), PATH)"
            )
        chosen = _chosen(path, found, own, rules, key)
        return chosen._replace(tensors={name: tensor(stored) for name, stored in chosen.tensors.items()})


def _chosen(path: Path, found: list[FoundTensors], own: Names, rules: Rules, key: str | None) -> Chosen:
    chosen = choose(path, found, own, rules, key)
    return chosen._replace(metadata={name: value for name, value in chosen.metadata.items() if name not in OWN_ENTRIES})


def _held(content: Any) -> str:
    """What a file without tensors holds instead, for an error."""
    if isinstance(content, (inert_pickle.Global, inert_pickle.StandIn)):
        return printable(content.name)
    if isinstance(content, dict):
        return f"its keys: {', '.join([printable(name) for name in content if isinstance(name, str)][:MOST_NAMED])}"
    return "a tensor" if isinstance(content, StoredTensor) else f"a {type(content).__name__}"


def _is_torch_file(path: Path) -> bool:
    """Whether a file that begins with a pickle is of the older form of ``torch.save``: its first pickle is a number."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return inert_pickle.load(data, {}, inert_pickle.StandIn) == torch.serialization.MAGIC_NUMBER


def _npz_tensors(archive: zipfile.ZipFile) -> dict[str, torch.Tensor]:
    check_unpacked_size(archive)
    arrays = {name.removesuffix(".npy"): _array(read_member(archive, name)) for name in archive.namelist()}
    tensors = {name: torch.from_numpy(values) for name, values in arrays.items() if values is not None}
    return convert_keys(tensors, MXNET_NAMES)


def _array(data: bytes) -> np.ndarray | None:
    """The array in the bytes of an ``.npy`` file; None for text and objects, which are no weights."""
    file = io.BytesIO(data)
    shape, by_column, dtype = npy_header(file)
    if dtype.kind not in "biufc":
        return None
    if prod(shape) * dtype.itemsize > len(data) - file.tell():
        raise ValueError("an array is shorter than it says")
    values = np.frombuffer(data[file.tell() :], dtype, prod(shape)) if prod(shape) else np.empty(0, dtype)
    return values.reshape(shape, order="F" if by_column else "C").astype(dtype.newbyteorder("="))
