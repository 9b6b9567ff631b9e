"""Arrays of NumPy's ``.npy`` form, none larger than its file: a header of 128 bytes may say that it has gigabytes."""

import os
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from irsam_zoo.zoo.reading import open_regular

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """``(shape, whether by column, dtype)`` of an ``.npy`` file, which is left behind them; ValueError where it is none."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"version {version} of its form")
    return HEADERS[version](file)


def npy_shape(path: str | Path) -> tuple[int, ...]:
    """The shape that an ``.npy`` file says; errors as `read_npy`."""
    with open_regular(path) as file:
        return npy_header(file)[0]


def read_npy(path: str | Path) -> np.ndarray:
    """The array of a regular ``.npy`` file.

    Raises:
        OSError: As `zoo.reading.open_regular`.
        ValueError: It is no such file, holds objects, or has other bytes than its header says.
    """
    with open_regular(path) as file:
        shape, by_column, dtype = npy_header(file)
        if dtype.hasobject:
            raise ValueError("an array of objects")
        if prod(shape) * dtype.itemsize != os.fstat(file.fileno()).st_size - file.tell():
            raise ValueError(f"its header says {shape} of {dtype}, and its bytes are others")
        return np.fromfile(file, dtype, prod(shape)).reshape(shape, order="F" if by_column else "C")
