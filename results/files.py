"""Files that are whole whenever they are there, and folders that one process writes to."""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoo.errors import ZooError


def write_atomic(path, data):
    """Write text, as UTF-8, or bytes so that a reader sees the old file or the new one, never a part.

    Raises:
        OSError: It cannot be written; the error names `path`.
    """
    path = Path(path)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:200]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def write_json(path, data):
    """Write JSON atomically; NaN is an error, not a value."""
    write_atomic(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


@contextmanager
def naming(path):
    """Have an OSError name this file: that of a full disk names none, and that of a temporary file is of no use."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError):  # a file where a folder belongs, which it names
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def locked(folder, remedy):
    """Hold a folder for this process, until it ends however it ends; a second one is refused.

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
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise ZooError(f"another run is writing to {folder}; wait for it, or {remedy}") from None
    try:
        yield
    finally:
        lock.release()
