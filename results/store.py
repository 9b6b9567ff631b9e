"""The result folder: atomic files, and one journal a cell that survives a kill."""

import csv
import io
import json
import math
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from results.record import ImageRecord
from results.row import Row
from zoo.errors import UsageError, ZooError

LONGEST_NAME = 200  # bytes; file systems take 255, of which a temporary file needs some


def write_atomic(path, data):
    """Write text, as UTF-8, or bytes so that a reader sees the old file or the new one, never a part."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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


def check_name(what, name):
    """Raise UsageError where results cannot be filed under a name."""
    if re.search(r"[/\\\x00-\x1f]", name) or name in ("", ".", ".."):
        raise UsageError(
            f"{what} {name!r}: results are filed under this name, so it must be that of a file; take out the slashes"
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

    def __init__(self, out):
        self.out = Path(out)

    @property
    def manifest_path(self):
        return self.out / "manifest.json"

    def manifests(self):
        """What `manifest_path` says of the runs in this folder so far."""
        try:
            return json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []

    def row_path(self, dataset, split, method):
        return self.out / "results" / dataset / split / f"{method}.json"

    def row(self, dataset, split, method):
        """A stored `Row`, or None where there is none that can be read."""
        try:
            return _read_row(self.row_path(dataset, split, method))
        except (OSError, ValueError):
            return None

    def write_row(self, row, records):
        """Store a `Row` as JSON, and one CSV line an `ImageRecord` beside it. Returns the row."""
        path = self.row_path(row.dataset, row.split, row.method)
        write_atomic(path.with_suffix(".csv"), _image_table(records))
        write_json(path, row.to_json())
        return row

    def journal(self, dataset, split, method):
        return Journal(self.out / "journal" / dataset / split / f"{method}.jsonl")

    def records(self, row):
        """The image records behind a stored row, in its order.

        Raises:
            ZooError: The journal was deleted or belongs to a later run.
        """
        path = self.row_path(row.dataset, row.split, row.method).with_suffix(".csv")
        journal = self.journal(row.dataset, row.split, row.method)
        records = journal.read(row.journal_key)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                found = [records[line["id"]] for line in csv.DictReader(file)]
        except (KeyError, OSError):
            found = []
        if len(found) != row.n_images:
            raise ZooError(f"{journal.path} does not hold the images of {path}; run this cell again")
        return found

    def counts(self, row):
        """What was counted in each image of a stored row: dicts with ``id`` and the columns of `engine.metrics.count_image`.

        Raises:
            ZooError: The row has no table of images, or it is another's.
        """
        path = self.row_path(row.dataset, row.split, row.method).with_suffix(".csv")
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                lines = [{k: v if k == "id" else float(v or "nan") for k, v in line.items()} for line in csv.DictReader(file)]
        except OSError:
            raise ZooError(f"{path} is not there; run this cell again") from None
        except (TypeError, ValueError) as error:
            raise ZooError(f"{path} is no table of images ({error}); run this cell again") from None
        if len(lines) != row.n_images:
            raise ZooError(f"{path} has {len(lines)} images, its row {row.n_images}; run this cell again")
        return lines

    def rows(self):
        """All stored rows, sorted by path.

        Raises:
            ZooError: A row cannot be read.
        """
        rows = []
        for path in sorted((self.out / "results").glob("*/*/*.json")):
            try:
                rows.append(_read_row(path))
            except (OSError, ValueError) as error:
                raise ZooError(f"{path} is not a result row ({error}); delete it and run the benchmark again") from None
        return rows

    @contextmanager
    def locked(self):
        """Hold the folder for this process, until it ends however it ends; a second run in the same folder is refused.

        Raises:
            ZooError: Another run holds it, or ``.lock`` is not a file of this program: it is a link, or holds something.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / ".lock"
        if path.is_symlink() or (path.exists() and not (path.is_file() and path.stat().st_size == 0)):
            raise ZooError(f"{path} is not the lock of a run, which is an empty file; move it away, or give another --out")
        lock = FileLock(path, timeout=0, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            raise ZooError(f"another run is writing to {self.out}; wait for it or give another --out") from None
        try:
            yield
        finally:
            lock.release()


class Journal:
    """One JSON line an image, appended and flushed as soon as the image is scored; the first line is the key.

    The key holds everything that the records depend on. A journal with another key is of no use and is begun anew.
    """

    def __init__(self, path):
        self.path = Path(path)

    def read(self, key):
        """`ImageRecord`s by image id, the latest of each, or nothing where the key differs.

        A last line that was cut off by a kill is dropped.
        """
        if not self.path.is_file():
            return {}
        records = {}
        try:
            first, *lines = self.path.read_text(encoding="utf-8").splitlines()
            if json.loads(first) != {"key": key}:
                return {}
            for line in lines:
                record = ImageRecord.from_json(json.loads(line))
                records[record.id] = record
        except ValueError:
            pass
        return records

    @contextmanager
    def writer(self, key, records):
        """A function that appends a record. The file first gets the key and the records that are still good."""
        lines = [{"key": key}, *(record.to_json() for record in records)]
        write_atomic(self.path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))
        with open(self.path, "a", encoding="utf-8", newline="\n") as file:

            def append(record):
                file.write(json.dumps(record.to_json(), allow_nan=False) + "\n")
                file.flush()

            yield append


def _read_row(path):
    return Row.from_json(json.loads(path.read_text(encoding="utf-8")))


def _image_table(records):
    """CSV text: what is known of each image, a line an image."""
    text = io.StringIO()
    lines = [_image_line(record) for record in records]
    if lines:
        writer = csv.DictWriter(text, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    return text.getvalue()


def _image_line(record):
    size = {"id": record.id, "height": record.height, "width": record.width, "seconds": record.seconds}
    union = record.counts["union"]
    figures = size | {"IoU": record.counts["intersection"] / union if union else None} | record.counts
    return {name: _csv_figure(value) for name, value in figures.items()}


def _csv_figure(value):
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value
