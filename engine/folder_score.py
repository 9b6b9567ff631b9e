"""Metrics of a folder of predicted masks, such as other toolboxes write."""

from pathlib import Path

from datasets.base import MASK_LEVEL
from datasets.reader import read_mask
from engine.metrics import PROTOCOLS, IRSTDMetrics
from zoo import UsageError, ZooError


def score_folder(folder, dataset):
    """Score predicted masks against a test set.

    Arguments:
        folder: Holds ``<id>.png`` for every image of the test list; a pixel above 127 is target, or 1 in a mask of 0 and 1.
        dataset (IRSTDDataset): The test set.

    Returns:
        dict: protocol -> the dict of `engine.metrics.IRSTDMetrics.compute`.

    Raises:
        UsageError: No such folder, or masks are missing.
        ZooError: A mask cannot be read, or its size is not the image's.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}")
    paths = {image_id: folder / f"{image_id}.png" for image_id in dataset.ids}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        named = ", ".join(missing[:3])
        raise UsageError(
            f"{folder} lacks {len(missing)} of the {len(dataset)} test images of {dataset.name}, split {dataset.split} "
            f"({named}{', ...' if len(missing) > 3 else ''}); predict them, or name the split that was used"
        )
    metrics = {protocol: IRSTDMetrics(protocol=protocol) for protocol in PROTOCOLS}
    for index, path in enumerate(paths.values()):
        label = dataset[index]["label"]
        predicted = read_mask(path).pixels
        if predicted.shape != label.shape:
            sizes = f"{path} is {predicted.shape}, its image {label.shape}"
            raise ZooError(f"{sizes}; resize the prediction to the image's own size")
        for metric in metrics.values():
            metric.update(predicted > MASK_LEVEL, label)
    return {protocol: metric.compute() for protocol, metric in metrics.items()}
