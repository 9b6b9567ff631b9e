"""Files of ``torch.save``, zipped or of the older form, read without ``torch.load``.

``torch.load(weights_only=True)`` refuses a file for any object beside the weights: a date, a path, a history of losses, a
whole module. Here objects become stand-ins (`zoo.weights.inert_pickle`), and tensors are read once they are wanted.
"""

import mmap
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch

from irsam_zoo.zoo.weights import inert_pickle
from irsam_zoo.zoo.weights.inert_pickle import Global, StandIn
from irsam_zoo.zoo.weights.state_dicts import FoundTensors

STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "UntypedStorage": torch.uint8,
    "QInt8Storage": torch.int8,  # quantised tensors are not read, but may stand beside others
    "QUInt8Storage": torch.uint8,
    "QInt32Storage": torch.int32,
}
DTYPES = {str(dtype): dtype for dtype in vars(torch).values() if isinstance(dtype, torch.dtype)}
# Weights hardly compress: an archive that unpacks to more than this, in bytes and times its size, is an attack on memory.
UNPACKED_FLOOR, UNPACKED_RATIO = 64 * 2**20, 16
NO_WEIGHTS = re.compile(r"(optim(izer)?|(lr_)?scheduler|(grad_)?scaler)s?(_|$)", re.IGNORECASE)  # parts of a training state
DEEPEST = 4  # keys on the way to a dict of tensors
MOST_NAMES, LONGEST_NAME = 1_000_000, 1000  # modules that hold the next one twice each have as many tensors as they like


class Storage(NamedTuple):
    """A part of the file: its name, the type and number of its values, and where in it a view of it begins."""

    key: str
    dtype: torch.dtype
    numel: int
    first: int = 0


class StoredTensor(NamedTuple):
    """A tensor that has not been read yet: `first`, `shape` and `stride` count values of `dtype` in the storage."""

    storage: Storage
    dtype: torch.dtype
    first: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@contextmanager
def open_torch(path: str | Path) -> Iterator[tuple[Any, Callable[[StoredTensor], torch.Tensor]]]:
    """What a file of ``torch.save`` holds.

    Yields:
        tuple: The content, as `zoo.weights.inert_pickle.load` makes it, with a `StoredTensor` for each tensor and parameter;
        and the function that reads one from the file. Tensors that share memory in the file share it again.

    Raises:
        zoo.inert_pickle.CommandError: The file names a function that runs commands.
        Exception: Of any other type where the file is damaged, or unpacks to more than its size allows.
    """
    with open(path, "rb") as file:
        if file.read(2) == b"PK":
            with zipfile.ZipFile(file) as archive:
                yield _open_zip(archive)
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield _open_legacy(data)


def check_unpacked_size(archive: zipfile.ZipFile) -> None:
    """Refuse a zip archive whose files together are much larger than it: ValueError."""
    most = UNPACKED_FLOOR + UNPACKED_RATIO * (archive.fp.seek(0, 2) if archive.fp else 0)
    unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > most:
        raise ValueError(f"it unpacks to {unpacked:,} bytes, and a file of its size may take {most:,}")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a file in a zip archive; never more than its entry says, whatever it unpacks to."""
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} in it is neither stored nor deflated")  # the other ways have no bound
    with archive.open(info) as member:
        return member.read(info.file_size)


def tensor_dicts(content: Any) -> list[FoundTensors]:
    """All dicts of tensors and all pickled modules in the content of a file, as `zoo.weights.state_dicts.FoundTensors`.

    Looked into are dicts, by their text keys, and the members of a list or tuple at the top. Of mmengine's two state dicts the
    one called ``ema_state_dict`` is left aside: its hook swaps them, so that ``state_dict`` holds the average.
    """
    found, seen, places = [], set(), [((), content, ())]
    for path, value, around in places:  # grows on the way
        if id(value) in seen or len(path) > DEEPEST:
            continue
        seen.add(id(value))
        tensors = _module_tensors(value)
        if tensors is None and isinstance(value, dict):
            around = (*around, value)
            members = {key: member for key, member in value.items() if isinstance(key, str)}
            tensors = {key: member for key, member in members.items() if isinstance(member, StoredTensor)}
            weights = {key: member for key, member in members.items() if not NO_WEIGHTS.match(key)}
            if "message_hub" in members:
                weights.pop("ema_state_dict", None)
            places += [((*path, key), member, around) for key, member in weights.items()]
        elif not path and isinstance(value, (list, tuple)):
            places += [((str(k),), member, ()) for k, member in enumerate(value)]
        if tensors and any(tensor.shape for tensor in tensors.values()):  # losses and scores have none
            found.append(FoundTensors(path, tensors, around))
    return found


def _module_tensors(value: Any) -> dict[str, StoredTensor] | None:
    """The tensors of a pickled ``nn.Module`` under the names that ``state_dict()`` gives them; None for any other value."""
    if _state(value, "_modules") is None:
        return None
    found, modules, seen = {}, [(value, "")], 0
    while modules:
        module, prefix = modules.pop()
        parameters, buffers, children = (_state(module, kind) or {} for kind in ("_parameters", "_buffers", "_modules"))
        passing = module.state.get("_non_persistent_buffers_set") or ()
        seen += 1 + len(parameters) + len(buffers) + len(children) + len(passing)
        if seen > MOST_NAMES or len(prefix) > LONGEST_NAME:
            raise ValueError("its modules hold each other without end")
        passing = {name for name in passing if isinstance(name, str)}
        kept = {name: buffer for name, buffer in buffers.items() if name not in passing}
        named = {f"{prefix}{name}": tensor for name, tensor in {**parameters, **kept}.items() if isinstance(name, str)}
        found |= {name: tensor for name, tensor in named.items() if isinstance(tensor, StoredTensor)}
        named = [(child, f"{prefix}{name}.") for name, child in children.items() if isinstance(name, str)]
        modules += reversed([(child, name) for child, name in named if _state(child, "_modules") is not None])
    return found


def _state(value: Any, kind: str) -> dict[str, Any] | None:
    """One of the dicts that make up a module's pickled state; None where it has none."""
    state = value.state if isinstance(value, StandIn) else None
    parts = state.get(kind) if isinstance(state, dict) else None
    return parts if isinstance(parts, dict) else None


def _open_zip(archive: zipfile.ZipFile) -> tuple[Any, Callable[[StoredTensor], torch.Tensor]]:
    check_unpacked_size(archive)
    names = archive.namelist()
    folder = next(name for name in names if name.endswith("data.pkl")).removesuffix("data.pkl")
    if f"{folder}byteorder" in names and read_member(archive, f"{folder}byteorder") != b"little":
        raise ValueError("written on a big-endian machine")

    def read(key):
        return read_member(archive, f"{folder}data/{key}")

    content = inert_pickle.load(read_member(archive, f"{folder}data.pkl"), CALLS, _persistent)
    return content, _reader(read)


def _open_legacy(data: mmap.mmap) -> tuple[Any, Callable[[StoredTensor], torch.Tensor]]:
    magic, _protocol, machine = (inert_pickle.load(data, {}, _persistent) for _ in range(3))
    if magic != torch.serialization.MAGIC_NUMBER or not machine["little_endian"]:
        raise ValueError("written on a big-endian machine")
    itemsizes = {}

    def persistent(name):
        value = _persistent(name)
        if isinstance(value, Storage):
            itemsizes[value.key] = value.dtype.itemsize
        return value

    content = inert_pickle.load(data, CALLS, persistent)
    places = {}
    keys = inert_pickle.load(data, {}, _persistent)
    place = data.tell()
    for key in keys:
        size = int.from_bytes(data[place : place + 8], "little") * itemsizes[key]
        places[key] = slice(place + 8, place + 8 + size)
        place += 8 + size

    def read(key):
        return data[places[key]]

    return content, _reader(read)


def _reader(read: Callable[[str], bytes]) -> Callable[[StoredTensor], torch.Tensor]:
    """The function from a `StoredTensor` to a tensor, given the one from a storage's key to its bytes."""
    storages = {}

    def tensor(stored):
        key, dtype, numel, first = stored.storage
        if not prod(stored.shape):
            return torch.empty(stored.shape, dtype=stored.dtype)
        if key not in storages:
            storages[key] = bytearray(read(key))
        if len(storages[key]) < (first + numel) * dtype.itemsize:
            raise ValueError(f"storage {key} is shorter than it says")
        values = torch.frombuffer(storages[key], dtype=stored.dtype, count=len(storages[key]) // stored.dtype.itemsize)
        return values.as_strided(stored.shape, stored.stride, first * dtype.itemsize // stored.dtype.itemsize + stored.first)

    return tensor


def _persistent(name: Any) -> Any:
    """A `Storage`; or a class, which the older form stores with its source code."""
    if not isinstance(name, tuple) or len(name) < 4:
        raise ValueError("a reference that torch does not write")
    if name[0] == "module":
        return name[1]
    _, kind, key, _location, numel, *view = name
    dtype = STORAGES[kind.name.rpartition(".")[2]]
    first = 0
    if view and view[0] is not None:
        _, first, numel = view[0]
    if not isinstance(key, str) or not _counts((first, numel)):
        raise ValueError("a storage that torch does not write")
    return Storage(key, dtype, numel, first)


def _tensor(
    storage: Storage,
    first: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    _grad: Any = None,
    _hooks: Any = None,
    dtype: Global | None = None,
    *_: Any,
) -> StoredTensor:
    """``_rebuild_tensor``, its second and third version: the last of them names the type, since its storage has none."""
    if not _counts((first, *shape, *stride)):
        raise ValueError("a tensor that torch does not write")
    stored = DTYPES[dtype.name] if isinstance(dtype, Global) else storage.dtype
    return StoredTensor(storage, stored, first, tuple(shape), tuple(stride))


def _tensor_of_class(function: Global, _kind: Any, arguments: tuple[Any, ...], _state: Any) -> Any:
    return CALLS.get(function.name, lambda *_: StandIn(function.name))(*arguments)


def _counts(values: Iterable[Any]) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _dict(pairs: Any = ()) -> dict[Any, Any]:
    pairs = list(pairs.items() if isinstance(pairs, dict) else pairs)
    return {inert_pickle.as_key(key): value for key, value in pairs}


def _first(value: Any = (), *_: Any) -> Any:
    return value


CALLS = {
    "__builtin__.set": _first,
    "builtins.set": _first,
    "collections.OrderedDict": _dict,
    "collections.defaultdict": lambda *_: {},
    "torch._tensor._rebuild_from_type_v2": _tensor_of_class,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor,
}
