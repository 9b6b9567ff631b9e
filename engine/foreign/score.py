"""A folder of predictions of another program as a row like any other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.base import Item
from irsam_zoo.datasets.fingerprint import combine
from irsam_zoo.datasets.reader import open_picture
from irsam_zoo.datasets.remarks import Extent, Remark, counted, cut_remarks, file_remarks, mask_remarks, size_text
from irsam_zoo.engine.evaluate import own_split
from irsam_zoo.engine.foreign.arrays import array_pixels
from irsam_zoo.engine.foreign.files import ARRAYS, Found, find_predictions
from irsam_zoo.engine.foreign.reader import WHAT, Kind, Reader, open_predictions
from irsam_zoo.engine.rows import with_figures
from irsam_zoo.engine.scoring import write_mask
from irsam_zoo.results.code_version import code_version
from irsam_zoo.results.measure import make_record
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.results.recut import recut_records
from irsam_zoo.results.row import AS_GIVEN, OUTSIDE, Row, Status
from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.zoo import Threshold, UsageError, ZooError, build_threshold
from irsam_zoo.zoo.reading import sha256_file

FREE, LARGER = 2048 * 2048, 64  # px of a prediction of any image, and how many times its image's a prediction's may be
# What may be wrong with predictions, and what is done then.
SORTS = {
    "missing": ("images have no prediction", "the image is left out"),
    "extra": ("files are of no test image", "it is left out"),
    "unreadable": ("predictions cannot be read", "the image is left out"),
    "size": ("predictions have another size than their image", "it is resized"),
}


class Fault(NamedTuple):
    """What is wrong with one prediction: a key of `SORTS`, the image or the file that it is of, and what is known of it."""

    sort: str
    name: str
    detail: str

    def __str__(self) -> str:
        """The line that tells it, and what was done."""
        return f"{self.name}: {self.detail}; {SORTS[self.sort][1]}"


class Scored(NamedTuple):
    """A `Row`, its records in order, and the `Fault`s of its files."""

    row: Row
    records: list[ImageRecord]
    faults: list[Fault]


def score_folder(
    folder: Path,
    dataset: IRSTDDataset,
    *,
    name: str,
    title: str | None = None,
    kind: str | None = None,
    threshold: str | None = None,
    strict: bool = False,
    masks: Path | None = None,
    on_image: Callable[[], None] = lambda: None,
) -> Scored:
    """Score what another program predicted for a test set.

    Arguments:
        folder (Path): The predictions, as `engine.foreign.files` finds and `engine.foreign.reader` reads them.
        dataset (IRSTDDataset): The test set.
        name, title: Of the row; the title is the name unless it is given.
        kind: A value of `engine.foreign.reader.Kind`, where the user says what the predictions are.
        threshold: Policy that cuts scores, instead of the one of their kind.
        strict: Take no image less and no file more than the test list has, and none of another size.
        masks (Path): Folder that the cut predictions are written to, or None.
        on_image: Called once for each image that is done.

    Returns:
        Scored: Not stored yet.

    Raises:
        UsageError: There are no predictions, what they are cannot be seen, masks are to be cut, cuts that are chosen
            afterwards are to be written, or a fault is not allowed.
        ZooError: No prediction, or an image of the data set, cannot be read.
    """
    found = find_predictions(folder, dataset)
    faults = [Fault("missing", image_id, "no prediction") for image_id in found.missing]
    faults += [Fault("extra", name, "of no test image") for name in found.extra]
    if strict:
        _refuse(folder, faults)
    files = {image_id: paths[0] for image_id, paths in found.files.items()}
    files, huge = _of_size(files, dataset)
    faults += huge
    if not files:
        raise ZooError(f"{huge[-1].detail}; nor can any other prediction in {folder} be read")
    reader = open_predictions(folder, list(files.values()), kind)
    if threshold and reader.kind is Kind.MASK:
        raise UsageError(f"{folder} holds masks, which are cut already; leave out --threshold")
    policy = None if reader.kind is Kind.MASK else build_threshold(threshold or reader.threshold)

    if policy is not None and policy.oracle and masks is not None:
        raise UsageError(f"{policy} cuts after all images are scored; leave out --save-predictions")

    records = []
    for image_id, path in files.items():
        item = dataset.read(image_id)
        try:
            score = reader.read(path)
        except ZooError as error:
            faults.append(Fault("unreadable", image_id, str(error)))
        else:
            records.append(_record(item, score, reader.kind, policy, faults, masks))
        if strict:
            _refuse(folder, faults)
        on_image()
    if not records:
        raise ZooError(f"{faults[-1].detail}; nor can any other prediction in {folder} be read")
    if policy is not None and policy.oracle:
        records = recut_records(records, policy, reader.kind)

    notes = (*dataset.notes, *reader.texts, *_remarks(found, records, reader), *_fault_texts(faults))
    row = _row(dataset, reader.kind, policy, records, files, method=name, title=title or name, data_notes=notes)
    return Scored(row, records, faults)


def _of_size(files: Mapping[str, Path], dataset: IRSTDDataset) -> tuple[dict[str, Path], list[Fault]]:
    """The predictions without those that are far larger than their images, which decoded would take gigabytes; and these."""
    looks, kept, huge = dataset.looks(), {}, []
    for image_id, path in files.items():
        look = looks.get(image_id)
        size = look.size if look else (0, 0)
        pixels = _pixels(path)
        if pixels is not None and pixels > max(FREE, LARGER * size[0] * size[1]):
            detail = f"{path} has {pixels / 1e6:.0f} million pixels, for an image of {size_text(size)}"
            huge.append(Fault("unreadable", image_id, detail))
        else:
            kept[image_id] = path
    return kept, huge


def _pixels(path: Path) -> int | None:
    """How many pixels a prediction says that it has; None where it does not, which its reader will tell."""
    try:
        if path.suffix.lower() in ARRAYS:
            return array_pixels(path)
        return open_picture(path, lambda image: image.width * image.height)
    except (OSError, ZooError):
        return None


def _row(
    dataset: IRSTDDataset,
    kind: Kind,
    policy: Threshold | None,
    records: Sequence[ImageRecord],
    files: Mapping[str, Path],
    **others: Any,
) -> Row:
    """The row of records, and of the files that they are of."""
    row = Row(
        dataset=dataset.name,
        split=dataset.split,
        status=Status.OK,
        n_images=len(records),
        n_split=len(dataset),
        metrics={},
        fidelity=OUTSIDE,
        threshold=AS_GIVEN if policy is None else str(policy),
        oracle=policy is not None and policy.oracle,
        own_split=own_split(dataset),
        code=code_commit(),
        **others,
    )
    key = dict(
        predictions=combine((record.id, sha256_file(files[record.id])) for record in records),
        kind=kind,
        threshold=row.threshold,
        code=code_version(__name__),
        dataset=dataset.name,
        split=dataset.split,
        data=combine((record.id, record.pixels) for record in records),
    )
    return with_figures(replace(row, key=key), records, kind.scores)


def _record(
    item: Item, score: np.ndarray, kind: Kind, policy: Threshold | None, faults: list[Fault], masks: Path | None
) -> ImageRecord:
    """The record of one prediction, whose mask is written where a folder is given; another size is a fault."""
    shape = item["image"].shape
    if score.shape != shape:
        faults.append(Fault("size", item["id"], f"{size_text(score.shape)} for an image of {size_text(shape)}"))
        score = _resized(score, shape, kind)
    if policy is None:
        mask, scores = score > 0, Kind.PROBABILITY.scores
    else:  # an oracle's cut is chosen later, from the sweep
        mask, scores = np.zeros(shape, bool) if policy.oracle else policy(score), kind.scores
    saved = {}
    if masks is not None:
        path = masks / f"{item['id']}.png"
        saved = dict(saved=str(path), saved_sha256=write_mask(path, mask))
    assert scores is not None  # a mask alone has no policy
    return make_record(item, score, mask, scores, **saved)


def _resized(score: np.ndarray, shape: tuple[int, ...], kind: Kind) -> np.ndarray:
    """A prediction at another size: masks by nearest neighbour, scores bilinearly."""
    if kind is Kind.MASK:
        return np.array(Image.fromarray(score).resize((shape[1], shape[0]), Image.Resampling.NEAREST))
    return cv2.resize(score, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _remarks(found: Found, records: Sequence[ImageRecord], reader: Reader) -> list[str]:
    """What is odd about the predictions, in the words of a data set's masks."""
    shares = {record.id: record.counts["predicted_pixels"] / record.counts["pixels"] for record in records}
    faint = [id for id, share in shares.items() if not share and reader.has_levels(found.files[id][0])]
    remarks = file_remarks(found.files, WHAT)
    if reader.kind is Kind.MASK:
        remarks += mask_remarks({id: Extent(255 * (id in faint), share) for id, share in shares.items()}, WHAT)
    else:
        remarks += [Remark(counted(f"{WHAT} have scores above 0, none above the cut", faint))] if faint else []
        remarks += mask_remarks({id: Extent(0, share) for id, share in shares.items()}, WHAT)
    return [remark.text for remark in remarks + cut_remarks([*shares.values()])]


def _fault_texts(faults: Sequence[Fault]) -> Iterator[str]:
    """A line for each sort of fault, with their number and a few examples."""
    for sort, (what, done) in SORTS.items():
        names = [fault.name for fault in faults if fault.sort == sort]
        if names:
            yield f"{counted(what, names)} ({done})"


def _refuse(folder: Path, faults: Sequence[Fault]) -> None:
    """UsageError where there is a fault."""
    if faults:
        raise UsageError(f"--strict: {next(_fault_texts(faults)).rpartition(' (')[0]} in {folder}")
