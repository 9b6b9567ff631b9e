"""Files that are whole whenever they are there, after a kill and after a power cut."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PART = re.compile(r"\..*\.(\d+)-[0-9a-f]{8}\.part")  # a temporary file, of the process of this number
LONGEST = 200  # bytes of a name in that of its temporary file: file systems take 255 bytes


@contextmanager
def written_whole(*paths: Path, durable: bool = True) -> Iterator[list[Path]]:
    """Temporary files beside these, which take their places at the end; after an error none does, and they are gone.

    The folders are made. The files may be read by whom the user's umask lets.

    Arguments:
        paths (Path): Of the files.
        durable: Whether they are to be on the disk, and so to be there after a power cut, when this returns.
    """
    parts = []
    with ExitStack() as stack:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            name = os.fsdecode(os.fsencode(path.name)[:LONGEST])
            part = path.with_name(f".{name}.{os.getpid()}-{os.urandom(4).hex()}.part")
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            stack.callback(part.unlink, missing_ok=True)
            parts.append((part, part.stat().st_mode & 0o777))
        yield [part for part, _ in parts]
        for part, mode in parts:
            os.chmod(part, mode)  # safetensors lets the owner alone read what it writes
            if durable:
                with open(part, "rb+") as file:
                    os.fsync(file.fileno())
        for (part, _), path in zip(parts, paths, strict=True):
            os.replace(part, path)
        for folder in {path.parent for path in paths} if durable else ():
            sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can."""
    with suppress(OSError):  # Windows opens no folder, and some file systems sync none
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Delete the temporary files below a folder whose processes have ended, as kills leave them."""
    for place, _, names in os.walk(folder):
        for name in names:
            match = PART.fullmatch(name)
            if match and not _lives(int(match[1])):
                with suppress(OSError):
                    Path(place, name).unlink()


def _lives(process: int) -> bool:
    if os.name != "posix":  # there, signal 0 is none to ask with
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
