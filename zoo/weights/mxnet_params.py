"""Reader of MXNet's ``.params`` files, the form in which open-acm and open-alcnet publish weights. MXNet is not needed."""

import struct
from math import prod

import numpy as np

MAGIC = 0x112  # kMXAPINDArrayListMagic of mxnet/src/ndarray/ndarray.cc, with eight reserved bytes after it
ARRAY_V1, ARRAY_V2 = 0xF993FAC8, 0xF993FAC9  # the second carries a storage type
DENSE = 0
# Type flags of mshadow/base.h
DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}


def read_params(data: bytes) -> dict[str, np.ndarray]:
    """Arrays of a ``.params`` file by name.

    Arguments:
        data (bytes): The whole file.

    Returns:
        dict[str, np.ndarray]: Names as MXNet wrote them, without the ``arg:`` and ``aux:`` of symbolic checkpoints.

    Raises:
        ValueError: Not a list of dense, named arrays, or shorter than it says.
    """
    place = 0

    def take(layout):
        nonlocal place
        layout = "<" + layout
        values = struct.unpack_from(layout, data, place)
        place += struct.calcsize(layout)
        return values

    def array():
        nonlocal place
        (magic,) = take("I")
        if magic not in (ARRAY_V1, ARRAY_V2):
            raise ValueError(f"array of unknown version {magic:#x}")
        if magic == ARRAY_V2 and take("i") != (DENSE,):
            raise ValueError("sparse array")
        shape = take(f"{take('I')[0]}q")
        _device, _device_id, flag = take("iii")
        if flag not in DTYPES:
            raise ValueError(f"array of unknown type {flag}")
        if min(shape, default=0) < 0:
            raise ValueError("array of a negative size")
        values = np.frombuffer(data, DTYPES[flag], prod(shape), place).reshape(shape)
        place += values.nbytes
        return values.copy()

    try:
        magic, _reserved, count = take("QQQ")
        if magic != MAGIC:
            raise ValueError("no MXNet array list")
        arrays = [array() for _ in range(count)]
        names = [take(f"{take('Q')[0]}s")[0].decode() for _ in range(take("Q")[0])]
    except struct.error:
        raise ValueError("the file ends early") from None
    if len(names) != len(arrays):
        raise ValueError(f"{len(arrays)} arrays but {len(names)} names")
    return {name.removeprefix("arg:").removeprefix("aux:"): values for name, values in zip(names, arrays, strict=True)}
