"""What a result folder holds behind its rows: records, masks, score maps, and what they were made of."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.reader import open_picture
from irsam_zoo.results.measure import item_digest
from irsam_zoo.results.recut import recut_records
from irsam_zoo.results.row import OUTSIDE
from irsam_zoo.zoo import build_threshold
from irsam_zoo.zoo.errors import UsageError, ZooError, one_line
from irsam_zoo.zoo.npy import read_npy
from irsam_zoo.zoo.reading import check_regular, sha256_file
from irsam_zoo.zoo.weights.folders import USUAL, found_file
from irsam_zoo.zoo.weights.header import read_header

if TYPE_CHECKING:
    from irsam_zoo.datasets import IRSTDDataset
    from irsam_zoo.results.record import ImageRecord
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.store import ResultStore


class RowFiles:
    """Reads what is stored behind rows.

    Arguments:
        store (ResultStore): The result folder.
        data_root: Folder of the data sets; by default that of the run which made the rows.
    """

    def __init__(self, store: "ResultStore", data_root: str | Path | None = None):
        self.store, self.data_root = store, data_root
        self.test_set = cache(self._test_set)
        self._records = {}

    def records(self, row: "Row") -> "list[ImageRecord]":
        """The `ImageRecord`s of a row, with the counts of its own cut.

        Raises:
            ZooError: They are gone.
        """
        key = self._key(row)
        if key not in self._records:
            records = self.store.records(row)
            if row.from_sweep and row.threshold:
                records = recut_records(records, build_threshold(row.threshold), row.score_kind)
            self._records[key] = {record.id: record for record in records}
        return list(self._records[key].values())

    def record(self, row: "Row", image_id: str) -> "ImageRecord":
        """The `ImageRecord` of one of the images of a row."""
        self.records(row)
        return self._records[self._key(row)][image_id]

    def counts(self, row: "Row") -> pd.DataFrame:
        """The counts of each image of a row, as `metrics.count_image` has them: one line an image."""
        return pd.DataFrame([record.counts for record in self.records(row)])

    def item(self, row: "Row", image_id: str) -> Any:
        """An image with its label, as a data set gives it.

        Raises:
            ZooError: The data set is not there, or the image is not the one that was scored.
        """
        item = self.test_set(row.dataset, row.split).read(image_id)
        if item_digest(item) != self.record(row, image_id).pixels:
            raise ZooError(
                f"{image_id} of {row.dataset} is not the image that was scored; name the right folder by --data-root"
            )
        return item

    def mask_path(self, row: "Row", record: "ImageRecord") -> Path:
        """The file of a predicted mask.

        Raises:
            ZooError: None was saved with this record.
        """
        if row.from_sweep:
            raise ZooError("its cut was chosen after scoring, and saved masks are of another")
        path = self._file("predictions", row, f"{record.id}.png")
        again = "score them again" if row.fidelity == OUTSIDE else "run the benchmark again"
        if record.saved is None or not path.is_file():
            raise ZooError(f"no saved masks; {again} with --save-predictions")
        if record.saved_sha256 not in (None, sha256_file(path)):
            raise ZooError(f"{path} is not the mask that was scored; {again} with --save-predictions")
        return path

    def mask(self, row: "Row", image_id: str) -> np.ndarray:
        """The HxW bool mask that a method predicted of an image."""
        return _picture(self.mask_path(row, self.record(row, image_id))) > 127

    def score_path(self, row: "Row", image_id: str) -> Path:
        """The file of a score map; ZooError where none was saved with the record of this image."""
        record = self.record(row, image_id)
        saved = record.saved_scores
        path = self._file("scores", row, image_id + Path(saved or "").suffix)
        if saved is None or not path.is_file():
            if row.fidelity == OUTSIDE:
                raise ZooError("score maps of other programs are not kept with their rows")
            raise ZooError("no saved score maps; run the benchmark again with --save-scores")
        if record.saved_scores_sha256 not in (None, sha256_file(path)):
            raise ZooError(f"{path} is not the score map that was measured; run the benchmark again with --save-scores")
        return path

    def score(self, row: "Row", image_id: str) -> np.ndarray:
        """The HxW float64 score map of an image, in any linear scale; of a network, probabilities (``.npy`` has logits)."""
        path = self.score_path(row, image_id)
        if path.suffix == ".png":
            return _picture(path).astype(np.float64)
        try:
            score = read_npy(path).astype(np.float64)
        except (OSError, TypeError, ValueError) as error:
            raise ZooError(f"{path} is no array of numbers ({error}); run the benchmark again with --save-scores") from None
        return expit(score) if row.score_kind == "logit" else score

    def losses(self, row: "Row") -> tuple[list[pd.DataFrame], bool]:
        """What a network lost in training, by the tables beside its weights and beside those that they went on from.

        Returns:
            tuple[list[pandas.DataFrame], bool]: ``step`` and ``loss``, a table a stage in their order; and whether the first
            stage is among them.

        Raises:
            ZooError: There is no table.
        """
        if row.weights is None:
            raise ZooError("no weights")
        known = Path((row.key or {}).get("method", {}).get("checkpoint", ""))
        path = known if known.is_file() else found_file(USUAL / row.weights.file)
        stages, whole = [], False
        while path is not None and path.with_suffix(".csv").is_file():
            stages.insert(0, _losses(path.with_suffix(".csv")))
            path, whole = _stage_before(path)
        if not stages:
            raise ZooError(f"no table of losses beside its weights, {path}")
        return stages, whole

    @staticmethod
    def _key(row: "Row") -> tuple[str, str, str, str | None]:
        return row.dataset, row.split, row.method, row.threshold

    def _file(self, kind: str, row: "Row", name: str) -> Path:
        """The file of a row by its name; ZooError where a name or a link leads out of the result folder."""
        path = self.store.out / kind / row.dataset / row.split / row.method / name
        if not path.resolve().is_relative_to(self.store.out.resolve()):
            raise ZooError(f"{path} leads out of the result folder; remove it")
        return path

    def _test_set(self, name: str, split: str) -> "IRSTDDataset":
        """The test set that rows are of: as the runs of this folder named it, else by its name."""
        runs = [manifest["config"] for manifest in reversed(self.store.manifests()) if "config" in manifest]
        # `run` has data sets, `score` one or none: then the folder of predictions was called by it.
        named = [(source, run) for run in runs for source in run.get("datasets") or [run.get("dataset") or name]]
        asked = [(source, run.get("data_root"), run.get("split") or split) for source, run in named]
        for source, root, lists in [*asked, (name, None, split)]:
            try:
                dataset = build_dataset(source, root=self.data_root or root, split=lists, subset="test")
            except UsageError:
                continue
            if (dataset.name, dataset.split) == (name, split):
                return dataset
        raise ZooError(f"the images of {name} are not found; name the folder of the data sets by --data-root")


def _losses(path: Path) -> pd.DataFrame:
    """A table of losses; ZooError where the file is none."""
    try:
        check_regular(path)
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ZooError(f"{path} is no table of losses ({one_line(error)})") from None
    if not {"step", "loss"} <= set(table):
        raise ZooError(f"{path} is no table of losses: it lacks a step or a loss")
    return table


def _picture(path: Path) -> np.ndarray:
    """The HxW grey levels of a PNG."""
    picture = open_picture(path, np.array, formats=("PNG",))
    if picture.ndim != 2:
        raise ZooError(f"{path} is no grey picture; run the benchmark again")
    return picture * np.uint8(255) if picture.dtype == bool else picture


def _stage_before(path: Path) -> tuple[Path | None, bool]:
    """The weights that training went on from, or None, and whether it is known that there were none."""
    if not path.is_file():
        return None, False
    start = read_header(path).get("start")
    tables = path.parent.glob(f"*-{start['sha256'][:8]}.csv") if start else ()
    return next((table.with_suffix(".safetensors") for table in tables), None), not start
