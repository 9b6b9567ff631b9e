"""The result folder: atomic files, and one journal a cell that survives a kill."""

import fcntl
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from zoo import ZooError


def write_atomic(path, data):
    """Write text or bytes so that a reader sees the old file or the new one, never a part."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "wb" if isinstance(data, bytes) else "w"
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, mode) as file:
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
            return json.loads(self.manifest_path.read_text())
        except (OSError, ValueError):
            return []

    def row_path(self, dataset, split, method):
        return self.out / "results" / dataset / split / f"{method}.json"

    def row(self, dataset, split, method):
        """A stored row, or None where there is none that can be read."""
        try:
            return json.loads(self.row_path(dataset, split, method).read_text())
        except (OSError, ValueError):
            return None

    def write_row(self, row, records):
        """Store a row as JSON, and one CSV line an image beside it. Returns the row."""
        path = self.row_path(row["dataset"], row["split"], row["method"])
        table = pd.DataFrame([_image_line(record) for record in records])
        write_atomic(path.with_suffix(".csv"), table.to_csv(index=False, float_format="%.6g"))
        write_json(path, row)
        return row

    def journal(self, dataset, split, method):
        return Journal(self.out / "journal" / dataset / split / f"{method}.jsonl")

    def records(self, row):
        """The image records behind a stored row, in its order.

        Raises:
            ZooError: The journal was deleted or belongs to a later run.
        """
        path = self.row_path(row["dataset"], row["split"], row["method"]).with_suffix(".csv")
        key = {name: value for name, value in row["key"].items() if name != "data"}
        journal = self.journal(row["dataset"], row["split"], row["method"])
        records = journal.read(key)
        try:
            return [records[image_id] for image_id in pd.read_csv(path, usecols=["id"], dtype=str)["id"]]
        except (KeyError, OSError, ValueError):
            raise ZooError(f"{journal.path} does not hold the images of {path}; run this cell again") from None

    def rows(self):
        """All stored rows, sorted by path.

        Raises:
            ZooError: A row cannot be read.
        """
        rows = []
        for path in sorted((self.out / "results").glob("*/*/*.json")):
            try:
                row = json.loads(path.read_text())
                rows.append({"method": row["method"], **row})
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ZooError(f"{path} is not a result row ({error}); delete it and run the benchmark again") from None
        return rows

    @contextmanager
    def locked(self):
        """Hold the folder for this process; a second run in the same folder is refused."""
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / ".lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ZooError(f"another run is writing to {self.out}; wait for it or give another --out") from None
            yield


class Journal:
    """One JSON line an image, appended and flushed as soon as the image is scored; the first line is the key.

    The key holds everything that the records depend on. A journal with another key is of no use and is begun anew.
    """

    def __init__(self, path):
        self.path = Path(path)

    def read(self, key):
        """Records by image id, or nothing where the key differs. A last line that was cut off by a kill is dropped."""
        if not self.path.is_file():
            return {}
        lines = []
        for line in self.path.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                break
        if not lines or lines[0] != {"key": key}:
            return {}
        return {record["id"]: record for record in lines[1:]}

    @contextmanager
    def writer(self, key, records):
        """A function that appends a record. The file first gets the key and the records that are still good."""
        lines = [{"key": key}, *records]
        write_atomic(self.path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))
        with open(self.path, "a") as file:

            def append(record):
                file.write(json.dumps(record, allow_nan=False) + "\n")
                file.flush()

            yield append


def _image_line(record):
    """What the CSV says of one image."""
    counts = record["counts"]
    union = counts["union"]
    size = {name: record[name] for name in ("id", "height", "width", "seconds")}
    return size | {"IoU": counts["intersection"] / union if union else None} | counts
