"""Files that are whole whenever they are there, and folders that one process writes to."""

import errno
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from irsam_zoo.zoo.durable import sweep, written_whole
from irsam_zoo.zoo.errors import ZooError

# What file systems say that have no locks, or none at the moment.
NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.ESTALE, errno.EINVAL)


def write_atomic(path: str | Path, data: str | bytes, durable: bool = True) -> None:
    """Write text, as UTF-8, or bytes so that a reader sees the old file or the new one, never a part.

    Arguments:
        path: The file; its folder is made.
        data: What is to be in it.
        durable: Whether it outlasts a power cut from now on. What is checked before it is used again need not.

    Raises:
        OSError: It cannot be written; the error names `path`.
    """
    write_together({Path(path): data}, durable)


def write_together(files: Mapping[Path, str | bytes], durable: bool = True) -> None:
    """`write_atomic` of several files, by path: none takes its place before all are written. An error names the last."""
    with naming(list(files)[-1]), written_whole(*files, durable=durable) as parts:
        for part, data in zip(parts, files.values(), strict=True):
            part.write_bytes(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)


def write_json(path: str | Path, data: Any) -> None:
    """Write JSON atomically; NaN is an error, not a value."""
    write_atomic(path, json_text(data))


def json_text(data: Any) -> str:
    """What `write_json` writes."""
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


@contextmanager
def naming(path: Path) -> Generator[None]:
    """Have an OSError name this file: that of a full disk names none, and that of a temporary file is of no use."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError):  # a file where a folder belongs, which it names
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def locked(folder: Path, remedy: str) -> Generator[None]:
    """Hold a folder for this process, until it ends however it ends; a second one is refused.

    What temporary files others left there by being killed is deleted first. Where the file system has no locks, a file with
    the number and the machine of the process stands for one.

    Arguments:
        folder (Path): Made where it is not there.
        remedy: What to do instead, such as ``"give another --out"``.

    Raises:
        ZooError: Another process holds it, or ``.lock`` is not a file of this program: it is a link, or holds something.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    if path.is_symlink() or (path.exists() and not (path.is_file() and path.stat().st_size == 0)):
        raise ZooError(f"{path} is not the lock of a run, which is an empty file; move it away, or {remedy}")
    lock = _acquired(path, folder, remedy)
    try:
        sweep(folder)
        yield
    finally:
        lock.release()


def _acquired(path: Path, folder: Path, remedy: str) -> BaseFileLock:
    hint = ""
    try:
        try:
            lock = FileLock(path, timeout=0, fallback_to_soft=False)
            lock.acquire()
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            marker = path.with_name(".lock.held")
            hint = f"; if none is, as after a crash of another machine, delete {marker}"
            lock = SoftFileLock(marker, timeout=0)
            lock.acquire()
    except Timeout:
        raise ZooError(f"another run is writing to {folder}; wait for it, or {remedy}{hint}") from None
    except OSError as error:
        raise ZooError(f"{folder} cannot be held for one run ({error.strerror}); {remedy} on another file system") from error
    return lock
