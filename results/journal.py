"""The journal of a cell: what is known of each image, written as soon as it is scored."""

import json
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from irsam_zoo.results.checksum import checked, checksum, summed
from irsam_zoo.results.files import naming, write_atomic
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.reading import MB, parse_json, read_bytes

Key = Mapping[str, Any]  # everything that records depend on

VERSION = 2
SYNC = 1.0  # seconds; a line on the disk each time would take a fast method's time
MOST = 512 * MB  # 3 KB an image


class Journal:
    """One file a key, which holds everything that the records depend on; so what one run does to its own leaves the others.

    A file is one JSON line an image, appended and flushed, and a second later on the disk; the first line is the version and
    the key. Each line has a checksum that depends on the key too.

    Arguments:
        path: Folder of the files.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def file(self, key: Key) -> Path:
        """Where the records of a key are."""
        return self.path / f"{checksum(key)}.jsonl"

    def file_anew(self, key: Key) -> Path:
        """Where they are while some are made anew: all that will be in `file`, which it becomes at the end."""
        return self.path / f"{checksum(key)}.anew.jsonl"

    def read(self, key: Key) -> dict[str, ImageRecord]:
        """`ImageRecord`s by image id, the latest of each."""
        return {record.id: record for record in self.read_all(key)}

    def read_anew(self, key: Key) -> list[ImageRecord] | None:
        """As `read_all`, what a writer of ``anew`` left that did not come to its end; None where there is none."""
        return self._read(self.file_anew(key), checksum(key), key) if self.file_anew(key).is_file() else None

    def read_all(self, key: Key) -> list[ImageRecord]:
        """`ImageRecord`s in the order in which they were written, of each image and its pixels the latest.

        Lines that were damaged, or cut off by a kill, are left out.

        Raises:
            ZooError: A later version of this program wrote them, or the file is larger than any journal or cannot be read.
        """
        path, salt = self.file(key), checksum(key)
        if not path.is_file():  # before version 2 there was one file a cell, without checksums
            path, salt = self.path.with_name(f"{self.path.name}.jsonl"), None
        return self._read(path, salt, key) if path.is_file() else []

    def _read(self, path: Path, salt: str | None, key: Key) -> list[ImageRecord]:
        try:
            lines = read_bytes(path, MOST).split(b"\n")
        except OSError as error:
            raise ZooError(f"{path} cannot be read: {error.strerror}") from None
        head = _parsed(lines[0], salt)
        if salt is None and head != {"key": key}:
            return []
        # A first line that is damaged or gone tells nothing that the name of the file does not.
        if salt is not None and head is not None and head.get("version", VERSION) != VERSION:
            raise ZooError(
                f"{path} is of version {head['version']!r}, and this program knows {VERSION}; run the one that wrote it, "
                "or give another --out"
            )
        records: dict[tuple[str, str], ImageRecord] = {}
        for line in lines:
            record = _record(line, salt)
            if record is not None:
                records.pop((record.id, record.pixels), None)
                records[record.id, record.pixels] = record
        return list(records.values())

    @contextmanager
    def writer(self, key: Key, records: Iterable[ImageRecord], anew: bool = False) -> Generator[Callable[[ImageRecord], None]]:
        """A function that appends a record. The file first gets the key and these records.

        Arguments:
            key: Of the records.
            records: `ImageRecord`s.
            anew: Leave the stored records where they are until this ends well, and then drop those alone that have a successor.
        """
        path, salt = (self.file_anew if anew else self.file)(key), checksum(key)
        write_atomic(path, _text(key, records))
        synced = time.monotonic()
        with open(path, "a", encoding="utf-8", newline="\n") as file:

            def append(record: ImageRecord) -> None:
                nonlocal synced
                with naming(path):
                    file.write(_line(record.to_json(), salt))
                    file.flush()
                    if time.monotonic() > synced + SYNC:
                        os.fsync(file.fileno())
                        synced = time.monotonic()

            try:
                yield append
            finally:
                with naming(path):
                    os.fsync(file.fileno())
        if anew:
            new = {(record.id, record.pixels): record for record in self.read_anew(key) or []}
            old = (record for record in self.read_all(key) if (record.id, record.pixels) not in new)
            write_atomic(self.file(key), _text(key, [*old, *new.values()]))
            path.unlink()


def _text(key: Key, records: Iterable[ImageRecord]) -> str:
    """The file of these records."""
    salt = checksum(key)
    return "".join([_line({"version": VERSION, "key": key}, salt), *(_line(record.to_json(), salt) for record in records)])


def _line(data: Mapping[str, Any], salt: str) -> str:
    return json.dumps(summed(data, salt), allow_nan=False) + "\n"


def _parsed(line: bytes, salt: str | None) -> dict[str, Any] | None:
    """The dict of a line, or None where it is none or its checksum does not fit; without a salt it has no checksum."""
    try:
        data = parse_json(line)
        return data if salt is None else checked(data, salt)
    except ValueError:
        return None


def _record(line: bytes, salt: str | None) -> ImageRecord | None:
    """The record of a line, or None."""
    try:
        return ImageRecord.from_json(_parsed(line, salt))
    except ValueError:
        return None
