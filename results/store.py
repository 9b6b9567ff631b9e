"""The result folder."""

import csv
import hashlib
import io
import itertools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from irsam_zoo.results.checksum import checked, summed
from irsam_zoo.results.csv_text import plain_text, safe_text
from irsam_zoo.results.files import json_text, locked, write_json, write_together
from irsam_zoo.results.journal import Journal
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.results.row import Row, Speed, Status
from irsam_zoo.results.serialization import from_plain, is_list, is_object, to_plain
from irsam_zoo.results.sound import MOST, SPEED, check, is_manifest
from irsam_zoo.zoo.errors import UsageError, ZooError, one_line
from irsam_zoo.zoo.reading import MB, read_bytes, read_json

TIMES_VERSION = 1
COUNTED = ("height", "width", "pixels", "intersection", "union", "targets", "matched", "false_pixels")  # of every image
MOST_OF_A_ROW, MOST_OF_A_TABLE = 4 * MB, 256 * MB  # tables and manifests have a line an image or a run
LONGEST_NAME = 200  # bytes; file systems take 255, of which a temporary file needs some


def check_name(what: str, name: str) -> None:
    """Raise UsageError where results cannot be filed under a name, which is that of a file and never a path."""
    if re.search(r"[/\\\x00-\x1f\x7f-\x9f]", name) or name in ("", ".", ".."):
        raise UsageError(
            f"{what} {name!r}: results are filed under this name, so it must be that of a file; take out slashes and "
            "control characters"
        )
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise UsageError(
            f"{what} {name[:40]!r}...: results are filed under this name; take one of at most {LONGEST_NAME} bytes"
        )


class ResultStore:
    """Paths and files of one result folder.

    Arguments:
        out: The folder; made when first written to.
    """

    def __init__(self, out: str | Path):
        self.out = Path(out)

    @property
    def manifest_path(self) -> Path:
        return self.out / "manifest.json"

    def manifests(self) -> list[dict[str, Any]]:
        """What `manifest_path` says of the runs in this folder so far; entries that are no run's are left out."""
        return [run for run in self._manifests() or [] if is_manifest(run)]

    def add_manifest(self, about: Mapping[str, Any]) -> str | None:
        """Add what there is to say of a run. A file that is no list of runs is not written over but moved aside.

        Returns:
            str | None: Where it was moved to.
        """
        runs, aside = self._manifests(), None
        if runs is None and self.manifest_path.exists():
            places = (self.out / f"manifest.damaged-{number}.json" for number in itertools.count(1))
            aside = next(place for place in places if not place.exists())
            self.manifest_path.replace(aside)
        write_json(self.manifest_path, [*(runs or []), about])
        return aside and str(aside)

    def _manifests(self) -> list[dict[str, Any]] | None:
        """The runs, or None where there is no list of runs."""
        try:
            runs = read_json(self.manifest_path, MOST_OF_A_TABLE)
        except (OSError, ValueError):
            return None
        return runs if is_list(runs) and all(map(is_object, runs)) else None

    def row_path(self, dataset: str, split: str, method: str) -> Path:
        return self.out / "results" / dataset / split / f"{method}.json"

    def times_path(self, dataset: str, split: str, method: str) -> Path:
        return self.out / "times" / dataset / split / f"{method}.json"

    def row(self, dataset: str, split: str, method: str) -> Row | None:
        """A stored `Row`, or None where there is none that can be read."""
        try:
            return self._read_row(self.row_path(dataset, split, method))
        except (OSError, ValueError, ZooError):
            return None

    def write_row(self, row: Row, records: Sequence[ImageRecord]) -> Row:
        """Store a `Row` as JSON, and one CSV line an `ImageRecord` beside it.

        What the clock has to do with is in a file of its own, so that equal runs leave equal rows. A stored row of more images
        stays, and this one goes to a folder ``fewer/`` beside ``results/``.

        Returns:
            Row: With the hash of the CSV. One that took no place says so, as `Status.INCOMPLETE` where it was whole.
        """
        stored = self.row(*_place(row))
        path = self.row_path(*_place(row))
        larger = stored if stored is not None and stored.n_images > row.n_images else None
        if larger:
            path = self.out / "fewer" / path.relative_to(self.out / "results")
        table = _image_table(records)
        row = replace(row, images_sha256=_sha256(table.encode("utf-8", "surrogateescape")))
        files = {path.with_suffix(".csv"): table, path: json_text(replace(row, speed=None).to_json())}
        if not larger:
            times = {"version": TIMES_VERSION, "speed": to_plain(row.speed), "seconds": {r.id: r.seconds for r in records}}
            files = {self.times_path(*_place(row)): json_text(summed(times))} | files
        write_together(files)
        if not larger:
            return row
        reason = (
            f"the stored row of {larger.n_images} images stays, and this one of {row.n_images} is {path}; to have it in a "
            "table, give another --out"
        )
        status = Status.INCOMPLETE if row.status is Status.OK else row.status
        return replace(row, status=status, reason="; ".join(filter(None, [row.reason, reason])))

    def journal(self, dataset: str, split: str, method: str) -> Journal:
        return Journal(self.out / "journal" / dataset / split / method)

    def records(self, row: Row) -> list[ImageRecord]:
        """The image records behind a stored row, in its order.

        Raises:
            ZooError: The journal was deleted or belongs to a later run.
        """
        if not (self.out / "journal").is_dir():  # of all rows, in one text
            raise ZooError(f"{self.out} has rows alone, and no journal of single images")
        journal = self.journal(row.dataset, row.split, row.method)
        records = journal.read(row.journal_key)
        try:
            found = [records[line["id"]] for line in self._image_lines(row)]
        except (KeyError, ZooError):
            found = []
        if len(found) != row.n_images:
            raise ZooError(f"{journal.path} does not hold the images of {self.row_path(*_place(row))}; run this cell again")
        return found

    def counts(self, row: Row) -> list[dict[str, Any]]:
        """What was counted in each image of a stored row: dicts with ``id`` and the columns of `metrics.count_image`.

        Raises:
            ZooError: The row has no table of images, or it is another's.
        """
        path = self.row_path(*_place(row)).with_suffix(".csv")
        try:
            lines: list[dict[str, Any]] = [
                {k: v if k == "id" else _figure(v) for k, v in line.items()} for line in self._image_lines(row)
            ]
        except (TypeError, ValueError) as error:
            raise ZooError(f"{path} is no table of images ({error}); run this cell again") from None
        if len(lines) != row.n_images:
            raise ZooError(f"{path} has {len(lines)} images, its row {row.n_images}; run this cell again")
        if not all("id" in line and all(math.isfinite(line.get(name, math.nan)) for name in COUNTED) for line in lines):
            raise ZooError(f"{path} lacks counts that every image has; run this cell again")
        return lines

    def _image_lines(self, row: Row) -> list[dict[str, str]]:
        """The lines of the table of images of a row, as texts by column; ZooError where it is not that of the row."""
        path = self.row_path(*_place(row)).with_suffix(".csv")
        try:
            data = read_bytes(path, MOST_OF_A_TABLE)
        except FileNotFoundError:
            raise ZooError(f"{path} is not there; run this cell again") from None
        except OSError as error:
            raise ZooError(f"{path} cannot be read: {error.strerror}; run this cell again") from None
        if row.images_sha256 not in (None, _sha256(data)):
            raise ZooError(f"{path} was changed since its row was written; run this cell again")
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")))
        return [line | {"id": plain_text(line["id"])} if line.get("id") else line for line in lines]

    def rows(self, tell: Callable[[str], object] | None = None) -> list[Row]:
        """All stored rows that can be read, sorted by path.

        Arguments:
            tell: Called with a line of text for each other one; by default it is an error.

        Raises:
            ZooError: A row cannot be read, and there is no `tell`.
        """
        rows: list[Row] = []
        for path in sorted((self.out / "results").glob("*/*/*.json")):
            try:
                rows.append(self._read_row(path))
            except (OSError, ValueError, ZooError) as error:
                line = f"{path} is not a result row ({one_line(error)}); delete it and run the benchmark again"
                if tell is None:
                    raise ZooError(line) from None
                tell(line)
        return rows

    def _read_row(self, path: Path) -> Row:
        """The row of a file, with its speed. ValueError or ZooError where it is none, or belongs elsewhere."""
        row = Row.from_json(read_json(path, MOST_OF_A_ROW))
        for what, name in zip(("data set", "split", "method"), _place(row), strict=True):
            check_name(what, name)  # or the row could be of a file anywhere, such as a method that is one
        if self.row_path(*_place(row)) != path:
            raise ValueError(f"it is of {row.method} on {row.dataset} ({row.split})")
        # A row from before there was a file of times has its speed itself.
        return row if row.speed is not None else replace(row, speed=self._speed(row))

    def _speed(self, row: Row) -> Speed | None:
        """How fast a row was, or None where that is not known any more."""
        try:
            times = checked(read_json(self.times_path(*_place(row)), MOST_OF_A_TABLE))
            speed = from_plain(Speed, times["speed"]) if times["version"] == TIMES_VERSION and times["speed"] else None
            check(speed, SPEED if speed else {})
            if speed is not None and row.params is None:  # a network's images are scored in batches, maybe on another device
                speed = speed.of_scored_images(list(times["seconds"].values()))
            return speed
        except (OSError, ValueError, TypeError, AttributeError, KeyError, ZeroDivisionError):
            return None

    def locked(self) -> AbstractContextManager[None]:
        """Hold the folder for this process; see `results.files.locked`."""
        return locked(self.out, "give another --out")


def _place(row: Row) -> tuple[str, str, str]:
    return row.dataset, row.split, row.method


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _image_table(records: Sequence[ImageRecord]) -> str:
    """CSV text: what is known of each image, a line an image."""
    text = io.StringIO()
    lines = [_image_line(record) for record in records]
    if lines:
        writer = csv.DictWriter(text, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return text.getvalue()


def _image_line(record: ImageRecord) -> dict[str, Any]:
    size: dict[str, Any] = {"id": safe_text(record.id), "height": record.height, "width": record.width}
    union = record.counts["union"]
    figures = size | {"IoU": record.counts["intersection"] / union if union else None} | record.counts
    return {name: _csv_figure(value) for name, value in figures.items()}


def _figure(text: str) -> float:
    """The number of a cell of the table, NaN of an empty one; ValueError where no image has such a count."""
    value = float(text or "nan")
    if abs(value) > MOST:
        raise ValueError(f"{text:.40} for a count")
    return value


def _csv_figure(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value
