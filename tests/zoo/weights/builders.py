"""Files of weights that are changed, and the memory that reading takes."""

import contextlib
import tracemalloc
import zipfile


def replace_in(path, old, new):
    """Replace bytes in a file of torch, zipped or not."""
    if not zipfile.is_zipfile(path):
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new))
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert any(old in data for data in members.values())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data.replace(old, new))


def peak(function, *arguments):
    """Bytes that a call took at most, whether it failed or not."""
    tracemalloc.start()
    try:
        with contextlib.suppress(Exception):
            function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
