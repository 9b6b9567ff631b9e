"""Scoring of images: the part of a benchmark that runs in worker processes."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from irsam_zoo.datasets.base import Item
from irsam_zoo.engine.cell import Cell, cell_dataset, cell_detector
from irsam_zoo.results.files import write_atomic
from irsam_zoo.results.measure import item_digest, make_record
from irsam_zoo.results.record import ImageFailure, ImageRecord
from irsam_zoo.results.score_map import write_score_map
from irsam_zoo.runtime.hardware import device_name, free_device_memory
from irsam_zoo.runtime.memory import is_out_of_memory
from irsam_zoo.runtime.workers import in_time, is_limited
from irsam_zoo.zoo import Detector, ZooError
from irsam_zoo.zoo.detector import finite_map
from irsam_zoo.zoo.errors import FAILURES, OutOfTime, one_line, shortened
from irsam_zoo.zoo.foreign_code import contained


def score_images(cell: Cell, indices: Sequence[int]) -> list[ImageRecord | ImageFailure]:
    """Run a method on images of its test set and count what it found.

    Arguments:
        cell (Cell): The method and the data set.
        indices: Positions in the data set; predicted as one batch.

    Returns:
        list[ImageRecord | ImageFailure]: One an image.
    """
    try:
        with contained():
            detector = cell_detector(cell)
    except FAILURES as error:
        return [ImageFailure(cell_dataset(cell).ids[i], one_line(error)) for i in indices]
    records: list[ImageRecord | ImageFailure] = []
    items: list[Item] = []
    for index in indices:
        try:
            item = cell_dataset(cell)[index]
            items.append({**at_metric_size(cell, detector, item), "pixels": item_digest(item)})
        except FAILURES as error:
            records.append(ImageFailure(cell_dataset(cell).ids[index], one_line(error)))
    if not items:
        return records
    detector.take_notes()
    start = time.perf_counter()
    try:
        with in_time(cell.timeout and cell.timeout * len(items)):
            scores = _scores(detector, items)
    except FAILURES as error:
        failure = ImageFailure(items[0]["id"], one_line(error), costly=isinstance(error, OutOfTime))
        short_of_memory = is_out_of_memory(failure.error)
        if is_limited() and short_of_memory:
            raise MemoryError(failure.error) from None  # a new worker tries again: others may have left too little in this one
    else:
        failure = None
    if failure is not None:  # behind the handler, which holds the tensors of the attempt
        if len(items) == 1:
            return [*records, failure]
        position = {image_id: i for i, image_id in enumerate(cell_dataset(cell).ids)}
        places, half = [position[item["id"]] for item in items], len(items) // 2
        if short_of_memory:
            free_device_memory()
            detector.batch_size = min(detector.batch_size, half)
        return records + score_images(cell, places[:half]) + score_images(cell, places[half:])  # down to the one to blame
    seconds = (time.perf_counter() - start) / len(items)
    notes = tuple(shortened(str(note)) for note in detector.take_notes())
    for item, score in zip(items, scores, strict=True):
        try:
            records.append(_measure(cell, detector, item, score, seconds=seconds, notes=notes))
        except FAILURES as error:
            records.append(ImageFailure(item["id"], one_line(error)))
        notes = ()  # they are the batch's, which a report counts once
    return records


def _scores(detector: Detector, items: Sequence[Item]) -> list[np.ndarray]:
    """The score maps of items; ZooError where a method has its own `predict_batch`, and it returns something else."""
    scores = list(detector.predict_batch([item["image"] for item in items]))
    if len(scores) != len(items):
        raise ZooError(f"{detector.name} returned {len(scores)} score maps for {len(items)} images")
    return [finite_map(score, item["image"].shape, detector.name) for score, item in zip(scores, items, strict=True)]


def at_metric_size(cell: Cell, detector: Detector, item: Item) -> Item:
    """The item with its image and label at the size at which the cell is scored."""
    if cell.metric_size == "native":
        return item
    image, label = detector.at_input_size(item["image"], item["label"])
    return {**item, "image": image, "label": label}


def _measure(cell: Cell, detector: Detector, item: Item, score: np.ndarray, **timing: Any) -> ImageRecord:
    """The record of one score map."""
    # An oracle's cut is chosen later, from the sweep.
    mask = np.zeros(score.shape, bool) if detector.threshold.oracle else detector.threshold(score)
    saved = {"processor": device_name(detector.device)}
    if cell.predictions is not None:
        path = cell.prediction_path(item["id"])
        saved |= dict(saved=str(path), saved_sha256=write_mask(path, mask))
    if cell.scores is not None:
        path = cell.score_path(item["id"])
        saved |= dict(saved_scores=str(path), saved_scores_sha256=write_score_map(path, score, detector.score_kind))
    return make_record(item, score, mask, detector.score_kind, **saved, **timing)


def write_mask(path: Path, mask: np.ndarray) -> str:
    """Write an HxW bool mask atomically, as a PNG of 0 and 255; gives the SHA-256 of the file."""
    data = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
    write_atomic(path, data, durable=False)  # its record has the digest
    return hashlib.sha256(data).hexdigest()
