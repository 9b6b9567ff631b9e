"""What is measured of one image once its score map and mask are there: the counts that every metric is computed from.

Whatever this module imports decides counts, and is part of a result's code version.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from irsam_zoo.datasets.fingerprint import pixel_digest
from irsam_zoo.metrics.counts import count_scene
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.metrics.signal import signal_of_scene
from irsam_zoo.metrics.sweep import quantize, sweep_scene
from irsam_zoo.metrics.typing import Mask
from irsam_zoo.results.record import ImageRecord, pack_sweep
from irsam_zoo.zoo.thresholds import ScoreStatistics


def item_digest(item: Mapping[str, Any]) -> str:
    """Digest of the decoded pixels of an image and its label."""
    return f"{pixel_digest(item['image'])} {pixel_digest(item['label'])}"


def make_record(
    item: Mapping[str, Any], score: npt.NDArray[np.floating], mask: Mask, score_kind: str, **others: Any
) -> ImageRecord:
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
