"""Metrics of a folder of predicted masks, such as other toolboxes write."""

import re
from collections import Counter
from pathlib import Path

from datasets.layouts import EXTENSIONS, index_files
from datasets.levels import MASK_LEVEL
from datasets.mask_levels import mask_levels
from datasets.remarks import Extent, counted, file_remarks, mask_remarks
from engine.metrics import PROTOCOLS, IRSTDMetrics
from results.row import Row, Status
from zoo import UsageError, ZooError

WHAT = "predictions"
# What DNANet's code and others write behind an id, beside files of the image and of the true mask.
PREDICTED = ("pred", "prediction")


def score_folder(folder, dataset):
    """Score predicted masks against a test set.

    Arguments:
        folder: Holds a file for every image of the test list, in any format and way of storing masks that a data set may
            have (`datasets.mask_levels`), called ``<id>`` or, all alike, ``<id>`` and an ending such as ``_Pred``.
        dataset (IRSTDDataset): The test set.

    Returns:
        Row: With the metrics of every protocol, and what was decided, or is odd, about the data set and the predictions in its
        ``data_notes``; its method is the folder's name.

    Raises:
        UsageError: No such folder, or masks are missing.
        ZooError: A mask cannot be read, or its size is not the image's.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}")
    paths = _prediction_paths(folder, dataset)
    levels, extents = mask_levels([first for first, *_ in paths.values()], WHAT), {}
    metrics = {protocol: IRSTDMetrics(protocol=protocol) for protocol in PROTOCOLS}
    for image_id, (path, *_) in paths.items():
        label = dataset.read(image_id)["label"]
        predicted = levels.read(path).pixels
        if predicted.shape != label.shape:
            sizes = f"{path} is {predicted.shape}, its image {label.shape}"
            raise ZooError(f"{sizes}; resize the prediction to the image's own size")
        extents[image_id] = Extent.of(predicted)
        for metric in metrics.values():
            metric.update(predicted > MASK_LEVEL, label)
    remarks = file_remarks(paths, WHAT) + mask_remarks(extents, WHAT)
    return Row(
        method=folder.name,
        title=folder.name,
        dataset=dataset.name,
        split=dataset.split,
        status=Status.OK,
        n_images=len(dataset),
        n_split=len(dataset),
        metrics={protocol: metric.compute() for protocol, metric in metrics.items()},
        data_notes=(*dataset.notes, *levels.texts, *(remark.text for remark in remarks)),
    )


def _prediction_paths(folder, dataset):
    """The files of each image's prediction, of which the first is read, in the order of the test list."""
    files = index_files(folder)
    ending = _ending(folder, files, dataset.ids)
    missing = [f"{image_id}{ending}" for image_id in dataset.ids if f"{image_id}{ending}" not in files]
    if missing:
        lacks = counted(f"of the {len(dataset)} test images of {dataset.name}, split {dataset.split}", missing)
        raise UsageError(f"{folder} lacks {lacks} ({'/'.join(EXTENSIONS)}); predict them, or name the split that was used")
    return {image_id: files[f"{image_id}{ending}"] for image_id in dataset.ids}


def _ending(folder, names, ids):
    """What stands behind the id in the names of the predictions: the ending that every image has, else the most frequent."""
    known, found = set(ids), Counter()
    for name in names:
        cuts = [len(name), *(match.start() for match in re.finditer(r"[-_. ]", name))]
        found.update(name[cut:] for cut in cuts if name[:cut] in known)
    complete = [ending for ending, count in found.items() if count == len(ids)]
    predicted = [ending for ending in complete if ending.strip("-_. ").lower() in PREDICTED]
    for choice in (predicted, [ending for ending in complete if not ending], complete):
        if len(choice) == 1:
            return choice[0]
    if complete:
        raise UsageError(
            f"{folder} has several files an image, with the endings {', '.join(complete)}; keep the predictions alone"
        )
    return max(found, key=found.get, default="")
