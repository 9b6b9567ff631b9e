"""Arrays of other programs: `.npy`, and `.mat` of MATLAB up to version 7. No code that a file may hold is run."""

import io
import zlib
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple, Self, TypeVar

import numpy as np
from scipy.io import loadmat, whosmat

from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.errors import one_line
from irsam_zoo.zoo.npy import npy_shape, read_npy
from irsam_zoo.zoo.reading import MB, read_bytes

NUMERIC = ("logical", "double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
FEW = 3
BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"IM": "little", b"MI": "big"}
T = TypeVar("T")
MOST = 1000 * MB  # of a file of MATLAB, and of what it unpacks to
UNPACKED, AT_LEAST = 32, 64 * MB  # times the size of the file that it may unpack to, and bytes that any may
HEADER, TAG, COMPRESSED = (
    128,
    8,
    15,
)  # bytes of a file's and of a part's beginning in MATLAB's version 5; the kind of a packed part


class Numbers(NamedTuple):
    """What numbers some arrays hold: their range, whether all are whole, and the three lowest that there are."""

    low: float
    high: float
    whole: bool
    some: frozenset[float]

    @classmethod
    def of(cls, array: np.ndarray) -> Self:
        """The numbers of one array."""
        values = np.unique(array)
        whole = bool((values == np.round(values)).all())
        return cls(float(values[0]), float(values[-1]), whole, frozenset(values[:FEW].tolist()))

    def __add__(self, other: "Numbers") -> "Numbers":
        some = frozenset(sorted(self.some | other.some)[:FEW])
        return Numbers(min(self.low, other.low), max(self.high, other.high), self.whole and other.whole, some)


def read_array(path: Path) -> np.ndarray:
    """Read the one image of numbers in a file.

    Arguments:
        path (Path): Ends in ``.npy`` or ``.mat``.

    Returns:
        np.ndarray: HxW, float32 or float64 as it is stored, any other numbers as float64.

    Raises:
        ZooError: The file is damaged or of another version, or holds no such array, several, or numbers that are not finite.
    """
    array = _opened(path, _from_matlab, read_npy)
    shape = getattr(array, "shape", ())
    array = np.squeeze(array)
    if array.ndim != 2 or array.dtype.kind not in "buif":
        raise ZooError(f"{path} holds {shape} of {array.dtype}; an image of numbers, HxW, belongs there")
    if not np.isfinite(array).all():
        raise ZooError(f"{path} holds NaN or Inf")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def array_pixels(path: Path) -> int:
    """How many numbers a file says that its image has, without reading them; errors as `read_array`."""
    return prod(_opened(path, lambda path: _image_of_matlab(path)[2], npy_shape))


def _opened(path: Path, of_matlab: Callable[[Path], T], of_numpy: Callable[[Path], T]) -> T:
    """What one of two functions says of a file; ZooError where it cannot be read."""
    try:
        return (of_matlab if path.suffix.lower() == ".mat" else of_numpy)(path)
    except (ZooError, FileNotFoundError):
        raise
    except NotImplementedError:
        raise ZooError(f"{path} is of MATLAB 7.3, which is another format; save it with '-v7'") from None
    except Exception as error:  # damaged bytes fail anywhere in two parsers, with any exception
        raise ZooError(f"{path} cannot be read ({one_line(error)}); write it again, as an array of numbers") from None


def _from_matlab(path: Path) -> np.ndarray:
    data, name, _ = _image_of_matlab(path)
    return loadmat(io.BytesIO(data), variable_names=name)[name]


def _image_of_matlab(path: Path) -> tuple[bytes, str, tuple[int, ...]]:
    """The bytes of a file, and the name and the shape of the one image in it."""
    data = read_bytes(path, MOST)
    _check_unpacked(data)
    held = whosmat(io.BytesIO(data))
    images = [(name, shape) for name, shape, kind in held if kind in NUMERIC and sum(side > 1 for side in shape) == 2]
    if len(images) != 1:
        found = f"several: {', '.join(name for name, _ in images)}" if images else "none"
        raise ZooError(f"{path} should hold one image of numbers, HxW, and holds {found}; save the prediction alone")
    return data, *images[0]


def _check_unpacked(data: bytes) -> None:
    """Raise ValueError where the packed parts of a file of version 5 hold far more than the file."""
    order = BYTE_ORDERS.get(data[HEADER - 2 : HEADER])
    left, place = min(MOST, max(AT_LEAST, UNPACKED * len(data))), HEADER
    while order and place + TAG <= len(data):
        kind, size = (int.from_bytes(data[place + i : place + i + 4], order) for i in (0, 4))
        packed, place = data[place + TAG : place + TAG + size], place + TAG + size
        unpacker = zlib.decompressobj() if kind == COMPRESSED else None
        while unpacker and packed and not unpacker.eof:
            left -= len(unpacker.decompress(packed, MB))
            packed = unpacker.unconsumed_tail
            if left < 0:
                raise ValueError("it unpacks to far more than its size")
