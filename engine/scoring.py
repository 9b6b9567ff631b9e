"""Scoring of images: the part of a benchmark that runs in worker processes."""

import faulthandler
import hashlib
import os
import time
from contextlib import contextmanager

import cv2
import numpy as np
import torch

from irsam_zoo.datasets.fingerprint import pixel_digest
from irsam_zoo.engine.cell import cell_dataset, cell_detector
from irsam_zoo.metrics import quantize
from irsam_zoo.metrics.counts import count_scene
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.signal import signal_of_scene
from irsam_zoo.metrics.sweep import sweep_scene
from irsam_zoo.results.files import write_atomic
from irsam_zoo.results.record import ImageFailure, ImageRecord, pack_sweep
from irsam_zoo.results.score_map import write_score_map
from irsam_zoo.runtime.hardware import device_name
from irsam_zoo.runtime.interrupts import end_with_parent
from irsam_zoo.runtime.memory import is_out_of_memory, limit_memory
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.detector import finite_map
from irsam_zoo.zoo.errors import FAILURES, OutOfTime, one_line, shortened
from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.memory import keep_freed_memory
from irsam_zoo.zoo.thresholds import ScoreStatistics

GRACE = 5.0  # seconds


def prepare_worker(memory=None, parent=None):
    """Give this worker process one thread in every numerical library, and memory that it keeps.

    Arguments:
        memory: GiB that it may take for its images, or None.
        parent: Id of the process that it ends with, or None.
    """
    global _worker, _limited
    _worker = True
    if parent is not None:
        end_with_parent(parent)
    keep_freed_memory()
    if memory is not None:
        limit_memory(memory)
        _limited = True
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


_worker = _limited = False  # whether this process is a worker, and one with a limit to its memory


@contextmanager
def in_time(cell, images):
    """Run the method of a cell on so many images, within the time that they may take.

    Python code that takes longer is an `OutOfTime`. Compiled code cannot be stopped: after `GRACE` its worker process ends.
    """
    seconds = cell.timeout and cell.timeout * images
    with contained(seconds), open(os.devnull, "w") as nowhere:
        if seconds and _worker:
            faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=nowhere)
        try:
            yield
        finally:
            if seconds and _worker:
                faulthandler.cancel_dump_traceback_later()


def item_digest(item):
    """Digest of the decoded pixels of an image and its label."""
    return f"{pixel_digest(item['image'])} {pixel_digest(item['label'])}"


def score_images(cell, indices):
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
    records, items = [], []
    for index in indices:
        try:
            item = cell_dataset(cell)[index]
            items.append(at_metric_size(cell, detector, item) | {"pixels": item_digest(item)})
        except FAILURES as error:
            records.append(ImageFailure(cell_dataset(cell).ids[index], one_line(error)))
    if not items:
        return records
    detector.take_notes()
    start = time.perf_counter()
    try:
        with in_time(cell, len(items)):
            scores = _scores(detector, items)
    except FAILURES as error:
        failure = ImageFailure(items[0]["id"], one_line(error), costly=isinstance(error, OutOfTime))
        short_of_memory = is_out_of_memory(failure.error)
        if _limited and short_of_memory:
            raise MemoryError(failure.error) from None  # a new worker tries again: others may have left too little in this one
    else:
        failure = None
    if failure is not None:  # behind the handler, which holds the tensors of the attempt
        if len(items) == 1:
            return [*records, failure]
        position = {image_id: i for i, image_id in enumerate(cell_dataset(cell).ids)}
        places, half = [position[item["id"]] for item in items], len(items) // 2
        if short_of_memory:
            torch.cuda.empty_cache()  # does nothing where CUDA is not in use
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


def _scores(detector, items):
    """The score maps of items; ZooError where a method has its own `predict_batch`, and it returns something else."""
    scores = list(detector.predict_batch([item["image"] for item in items]))
    if len(scores) != len(items):
        raise ZooError(f"{detector.name} returned {len(scores)} score maps for {len(items)} images")
    return [finite_map(score, item["image"].shape, detector.name) for score, item in zip(scores, items, strict=True)]


def at_metric_size(cell, detector, item):
    """The item with its image and label at the size at which the cell is scored."""
    if cell.metric_size == "native":
        return item
    image, label = detector.at_input_size(item["image"], item["label"])
    return item | {"image": image, "label": label}


def _measure(cell, detector, item, score, **timing):
    """The record of one score map."""
    # An oracle's cut is chosen later, from the sweep.
    mask = np.zeros(score.shape, bool) if detector.threshold.oracle else detector.threshold(score)
    saved = {"processor": device_name(getattr(detector, "device", "cpu"))}
    if cell.predictions is not None:
        path = cell.prediction_path(item["id"])
        saved |= dict(saved=str(path), saved_sha256=write_mask(path, mask))
    if cell.scores is not None:
        path = cell.score_path(item["id"])
        saved |= dict(saved_scores=str(path), saved_scores_sha256=write_score_map(path, score, detector.score_kind))
    return make_record(item, score, mask, detector.score_kind, **saved, **timing)


def write_mask(path, mask):
    """Write an HxW bool mask atomically, as a PNG of 0 and 255; gives the SHA-256 of the file."""
    data = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
    write_atomic(path, data, durable=False)  # its record has the digest
    return hashlib.sha256(data).hexdigest()


def make_record(item, score, mask, score_kind, **others):
    """The `ImageRecord` of a score map and its mask, whatever made them.

    Arguments:
        item (dict): Of the data set.
        score, mask (np.ndarray): HxW scores and HxW bool, of the image's size.
        score_kind: As `metrics.quantize` takes it.
        others: Fields of the record that are not of the maps.
    """
    scene = Scene(item["label"], mask)
    return ImageRecord(
        id=item["id"],
        pixels=item.get("pixels") or item_digest(item),  # those of the image as read, where it was resized
        height=score.shape[0],
        width=score.shape[1],
        counts=count_scene(scene),
        statistics=ScoreStatistics.of(score),
        signal=signal_of_scene(scene, item["image"], score),
        sweep=pack_sweep(sweep_scene(quantize(score, score_kind), scene)),
        **others,
    )
