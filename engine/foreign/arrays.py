"""Arrays of other programs: `.npy`, and `.mat` of MATLAB up to version 7. No code that a file may hold is run."""

from typing import NamedTuple

import numpy as np
from scipy.io import loadmat, whosmat

from zoo import ZooError
from zoo.errors import one_line

NUMERIC = ("logical", "double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
FEW = 3


class Numbers(NamedTuple):
    """What numbers some arrays hold: their range, whether all are whole, and the three lowest that there are."""

    low: float
    high: float
    whole: bool
    some: frozenset

    @classmethod
    def of(cls, array):
        """The numbers of one array."""
        values = np.unique(array)
        whole = bool((values == np.round(values)).all())
        return cls(float(values[0]), float(values[-1]), whole, frozenset(values[:FEW].tolist()))

    def __add__(self, other):
        some = frozenset(sorted(self.some | other.some)[:FEW])
        return Numbers(min(self.low, other.low), max(self.high, other.high), self.whole and other.whole, some)


def read_array(path):
    """Read the one image of numbers in a file.

    Arguments:
        path (Path): Ends in ``.npy`` or ``.mat``.

    Returns:
        np.ndarray: HxW, float32 or float64 as it is stored, any other numbers as float64.

    Raises:
        ZooError: The file is damaged or of another version, or holds no such array, several, or numbers that are not finite.
    """
    try:
        array = _from_matlab(path) if path.suffix.lower() == ".mat" else np.load(path, allow_pickle=False)
    except (ZooError, FileNotFoundError):
        raise
    except NotImplementedError:
        raise ZooError(f"{path} is of MATLAB 7.3, which is another format; save it with '-v7'") from None
    except Exception as error:  # damaged bytes fail anywhere in two parsers, with any exception
        raise ZooError(f"{path} cannot be read ({one_line(error)}); write it again, as an array of numbers") from None
    shape = getattr(array, "shape", ())
    array = np.squeeze(array)
    if array.ndim != 2 or array.dtype.kind not in "buif":
        raise ZooError(f"{path} holds {shape} of {array.dtype}; an image of numbers, HxW, belongs there")
    if not np.isfinite(array).all():
        raise ZooError(f"{path} holds NaN or Inf")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _from_matlab(path):
    images = [name for name, shape, kind in whosmat(path) if kind in NUMERIC and sum(side > 1 for side in shape) == 2]
    if len(images) != 1:
        found = f"several: {', '.join(images)}" if images else "none"
        raise ZooError(f"{path} should hold one image of numbers, HxW, and holds {found}; save the prediction alone")
    return loadmat(path, variable_names=images)[images[0]]
