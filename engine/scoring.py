"""Scoring of images: the part of a benchmark that runs in worker processes."""

import base64
import time
import zlib

import cv2
import numpy as np
import torch

from datasets.fingerprint import pixel_digest
from engine.cell import cell_dataset, cell_detector
from engine.memory import keep_freed_memory
from engine.metrics import count_image, quantize, signal_metrics, sweep_image
from zoo import ZooError
from zoo.thresholds import ScoreStatistics

SWEEP_COLUMNS = ("tp", "fp", "matched", "false_pixels", "targets")


def prepare_worker():
    """Give this worker process one thread in every numerical library, and memory that it keeps."""
    keep_freed_memory()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def item_digest(item):
    """Digest of the decoded pixels of an image and its label."""
    return f"{pixel_digest(item['image'])} {pixel_digest(item['label'])}"


def one_line(error):
    """An exception as one line; the class is named unless the text was written for users."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ZooError) else f"{type(error).__name__}: {text}"


def score_images(cell, indices):
    """Run a method on images of its test set and count what it found.

    Arguments:
        cell (Cell): The method and the data set.
        indices: Positions in the data set; predicted as one batch.

    Returns:
        list[dict]: A JSON-able record an image, in order. ``error`` is its only result where the image could not be
        read or scored.
    """
    try:
        detector = cell_detector(cell)
    except Exception as error:
        return [{"id": cell_dataset(cell).ids[i], "error": one_line(error)} for i in indices]
    records, items = [], []
    for index in indices:
        try:
            item = cell_dataset(cell)[index]
            items.append(_at_metric_size(cell, detector, item) | {"pixels": item_digest(item)})
        except Exception as error:
            records.append({"id": cell_dataset(cell).ids[index], "error": one_line(error)})
    if not items:
        return records
    detector.take_notes()
    start = time.perf_counter()
    try:
        scores = detector.predict_batch([item["image"] for item in items])
    except Exception as error:
        if len(items) > 1:  # one bad image must not take its batch along
            index = {image_id: i for i, image_id in enumerate(cell_dataset(cell).ids)}
            return records + [record for item in items for record in score_images(cell, [index[item["id"]]])]
        return [*records, {"id": items[0]["id"], "error": one_line(error)}]
    seconds = (time.perf_counter() - start) / len(items)
    notes = detector.take_notes()
    for item, score in zip(items, scores, strict=True):
        record = {"id": item["id"], "pixels": item["pixels"], "seconds": seconds, "notes": notes}
        notes = []  # they are the batch's, which a report counts once
        records.append(record | _measure(cell, detector, item, score))
    return records


def _at_metric_size(cell, detector, item):
    """The item with its image and label at the size at which the cell is scored."""
    if cell.metric_size == "native":
        return item
    image, label = detector.at_input_size(item["image"], item["label"])
    return item | {"image": image, "label": label}


def _measure(cell, detector, item, score):
    """Counts, signal figures and sweep of one score map."""
    statistics = ScoreStatistics.of(score)
    # An oracle's cut is chosen later, from the sweep.
    mask = np.zeros(score.shape, bool) if detector.threshold.oracle else detector.threshold(score)
    saved = {}
    if cell.predictions is not None:
        path = cell.prediction_path(item["id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(path), mask.astype(np.uint8) * 255):
            raise ZooError(f"cannot write {path}")
        saved = {"saved": str(path)}
    sweep = sweep_image(quantize(score, detector.score_kind), item["label"])
    return {
        "height": score.shape[0],
        "width": score.shape[1],
        "counts": count_image(mask, item["label"]),
        "statistics": statistics._asdict(),
        "signal": signal_metrics(item["image"], score, item["label"], mask),
        "sweep": pack(np.stack([sweep[column] for column in SWEEP_COLUMNS])),
    } | saved


def pack(array):
    """A small integer array as text, for a journal line."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array, dtype="<i4").tobytes())).decode()


def unpack(text):
    """The 5x256 array behind `pack`: rows are `SWEEP_COLUMNS`."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i4").reshape(len(SWEEP_COLUMNS), -1)
