"""A small state dict, and files of other programs that hold it."""

import struct

import torch

STATE = {"conv.weight": torch.arange(6.0).view(1, 6, 1, 1), "conv.bias": torch.tensor([0.5])}


def assert_state(state, want=None):
    """Assert that two state dicts have the same names in the same order, and the same values of the same types."""
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
