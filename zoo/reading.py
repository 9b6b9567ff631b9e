"""The one way to the bytes of a file: regular files alone, no larger than files of their kind are, and JSON within bounds."""

import errno
import hashlib
import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

MB = 1_000_000
FileStamp = tuple[str, int, int]  # path, bytes and time of change in ns
MOST_NESTED = 40  # objects and lists within each other: a row has 4
MOST_WHOLE = 2**63  # of a whole number


def open_regular(path: str | Path) -> BufferedReader:
    """A regular file, opened for reading bytes. What is none, such as a pipe, would wait for ever or never end.

    Raises:
        OSError: It is not there, cannot be read, or is a folder, a pipe, a socket or a device; the error names it.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # before it is opened, which a device may take for something to do
        _refuse(path)
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):  # another one by now
        os.close(handle)
        _refuse(path)
    return open(handle, "rb")


def check_regular(path: str | Path) -> None:
    """Raise OSError as `open_regular` does, for a reader that opens a path by itself."""
    open_regular(path).close()


def _refuse(path: str | Path) -> NoReturn:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "is no file of bytes but a pipe, a socket or a device", str(path))


def read_bytes(path: str | Path, most: int) -> bytes:
    """The bytes of a regular file; OSError as `open_regular`, and where it has more than `most`."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"is larger than {most / MB:g} MB, the most that is read of it", str(path))
        return file.read(size)


def read_text(path: str | Path, most: int) -> str:
    """The text of a regular file in UTF-8; ValueError where it is none, OSError as `read_bytes`."""
    return read_bytes(path, most).decode("utf-8")


def read_json(path: str | Path, most: int) -> Any:
    """The plain data of a JSON file; errors as `read_bytes` and `parse_json`."""
    return parse_json(read_bytes(path, most))


def parse_json(data: str | bytes) -> Any:
    """Plain data of JSON, bytes or text: finite numbers of at most 64 bits, texts that can be written, 40 levels deep.

    Raises:
        ValueError: It is no JSON, or holds something else.
    """
    try:
        parsed = json.loads(data, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(f"nested deeper than {MOST_NESTED} levels") from None
    check_plain(parsed)
    return parsed


def check_plain(data: Any) -> None:
    """Raise ValueError where plain data is nested deeper, or holds other numbers or texts, than `parse_json` gives."""
    level, waiting = 0, [data]
    while waiting:
        if (level := level + 1) > MOST_NESTED:
            raise ValueError(f"nested deeper than {MOST_NESTED} levels")
        inside = []
        for value in waiting:
            if isinstance(value, dict):
                inside += value
                inside += value.values()
            elif isinstance(value, list):
                inside += value
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"the number {value}")
            elif isinstance(value, int) and not -MOST_WHOLE <= value < MOST_WHOLE:
                raise ValueError("a whole number of more than 64 bits")
            elif isinstance(value, str) and not value.isascii():
                value.encode("utf-8", "surrogateescape")  # UnicodeEncodeError, a ValueError: half of a pair of surrogates
        waiting = inside


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} for a number")


def walk(folder: Path) -> list[Path]:
    """Every regular file below a folder, once, sorted by path; folders that links lead to are walked once too.

    Arguments:
        folder: It may be a link itself; where it is not there, there are no files.
    """
    seen, files = set(), []
    for place, folders, names in os.walk(folder, followlinks=True):
        about = os.stat(place)
        if (about.st_dev, about.st_ino) in seen:  # by a link in a circle, or by two ways
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        folders.sort()
        files += [path for name in names if (path := Path(place, name)).is_file()]
    return sorted(files)


def sha256_file(path: str | Path) -> str:
    """Hex SHA-256 digest of a file."""
    with open_regular(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def file_stamp(path: str | Path) -> FileStamp | None:
    """Path, size and time of change of a file, of which a changed file changes one; None for a file that is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return os.path.abspath(path), status.st_size, status.st_mtime_ns
