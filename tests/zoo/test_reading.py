"""The bounds of files that strangers make."""

import io
import json
import os
import socket
import tracemalloc
import zlib

import numpy as np
import pytest
import yaml
from scipy.io import savemat

from irsam_zoo.engine.foreign.arrays import array_pixels, read_array
from irsam_zoo.zoo.config_files import read_config
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.npy import read_npy
from irsam_zoo.zoo.reading import check_regular, open_regular, parse_json, read_bytes, read_json, walk


def irregular(tmp_path):
    """A pipe, a socket, a device, a folder, a link to a pipe, and a link in a circle."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "zero").symlink_to("/dev/zero")
    return [tmp_path / name for name in ("pipe", "socket", "folder", "link", "circle", "zero", "none")]


def test_only_regular_files_are_opened(tmp_path):
    for path in irregular(tmp_path):
        for reader in (open_regular, check_regular, lambda path: read_json(path, 9), read_npy):
            with pytest.raises(OSError, match=path.name):
                reader(path)
    (tmp_path / "good").write_bytes(b"12345")
    (tmp_path / "to_good").symlink_to("good")
    assert read_bytes(tmp_path / "to_good", 5) == b"12345"
    with pytest.raises(OSError, match="is larger than"):
        read_bytes(tmp_path / "good", 4)


@pytest.mark.parametrize("name", ["a.npy", "a.mat"])
def test_arrays_of_pipes_are_one_line(tmp_path, name):
    os.mkfifo(tmp_path / name)
    for reader in (read_array, array_pixels):
        with pytest.raises(ZooError, match="no file of bytes"):
            reader(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "[" * 41 + "]" * 41, '{"a":' * 50 + "1" + "}" * 50, "NaN", "[Infinity]", "[-1e999]", "[1e400]", "9" * 4000,
     "9" * 5000, "1" * 20, '"\\ud800"', '{"\\udfff\\ud800": 1}', "[1", "", "\x00", '["\\ud83d"]'],
)  # fmt: skip
def test_json_beyond_its_bounds_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_json_within_its_bounds_is_read():
    for data in ({"a": [1, 2.5, None, True, "ä\udce4"]}, [[[]]] * 1000, -(2**63), 1e308):
        assert parse_json(json.dumps(data)) == data


def bomb(levels, width):
    lines = ["a0: &a0 [" + ", ".join(["x"] * width) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * width) + "]" for n in range(1, levels)]
    return "\n".join([*lines, f"methods: *a{levels - 1}"])


@pytest.mark.parametrize(
    "text",
    [
        bomb(9, 9),
        bomb(40, 2),
        "a: &a {k: v}\n" + "\n".join(f"b{n}: &b{n} {{<<: [{', '.join(['*a'] * 90)}]}}" for n in range(200)),
        "methods: &a [*a]",
        "methods: &a {<<: *a}",
        "methods: " + "[" * 5000,
        "methods: " + "{a: " * 3000 + "1" + "}" * 3000,
        "methods: " + "- " * 3000,
        "methods: [" + "x, " * 40_000 + "]",
        "#" * 200_000,
    ],
)
def test_a_bomb_of_yaml_is_refused_at_once(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    tracemalloc.start()
    with pytest.raises((ValueError, OSError, yaml.YAMLError)):
        read_config(path)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()


def test_yaml_with_anchors_is_read(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("datasets: &sets [a, b]\nmethods: *sets\nlimit: 3\n")
    assert read_config(path) == {"datasets": ["a", "b"], "methods": ["a", "b"], "limit": 3}


def npy(shape, dtype="<f8", body=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + body


@pytest.mark.parametrize(
    "data",
    [npy((40_000, 40_000)), npy((2, 2), body=b"\0" * 31), npy((2, 2), body=b"\0" * 33), npy((-1, 2)),
     npy((2,), "|O", b"\0" * 16), b"\x93NUMPY\x09\x00", b"", b"PK\3\4"],
)  # fmt: skip
def test_an_array_is_no_larger_than_its_file(tmp_path, data):
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ZooError, match="cannot be read"):
        read_array(path)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_arrays_come_back(tmp_path):
    rng = np.random.default_rng(0)
    for number, array in enumerate((rng.random((5, 7)), np.asfortranarray(rng.random((5, 7)).astype("f4")))):
        np.save(tmp_path / f"{number}.npy", array)
        savemat(tmp_path / f"{number}.mat", {"score": array}, do_compression=bool(number))
        for ending in ("npy", "mat"):
            path = tmp_path / f"{number}.{ending}"
            assert np.array_equal(read_array(path), array)
            assert array_pixels(path) == 35


def test_a_file_of_matlab_unpacks_to_no_more_than_some_times_its_size(tmp_path):
    """The variable says 4 x 4, its packed part a gigabyte."""
    path = tmp_path / "a.mat"
    savemat(path, {"score": np.zeros((4, 4))})
    head = path.read_bytes()[:128]
    part = (14).to_bytes(4, "little") + (2**30).to_bytes(4, "little")
    packer = zlib.compressobj()
    packed = packer.compress(part) + b"".join(packer.compress(b"\0" * 2**20) for _ in range(300)) + packer.flush()
    path.write_bytes(head + (15).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + packed)
    tracemalloc.start()
    with pytest.raises(ZooError, match="unpacks to far more than its size"):
        read_array(path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_walks_end(tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "a").write_text("")
    for name in ("x", "y", "z"):
        (tmp_path / "d" / "e" / name).symlink_to(tmp_path / "d")
    assert walk(tmp_path / "d") == [tmp_path / "d" / "a"]
    assert walk(tmp_path / "none") == []
