"""Connected components of a mask, and the masks that a label stands for."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.typing import Floats, Ints, Mask
from irsam_zoo.zoo.errors import ZooError

CONNECTIVITY = 8  # skimage.measure.label(..., connectivity=2) in DNANet, ISNet, IRSAM and BasicIRSTD


class Components(NamedTuple):
    """The 8-connected components of a mask, in raster order of their first pixels.

    Attributes:
        labels: HxW int32, 0 for background, 1..N for the components.
        area: (N,) int64, px.
        centroid: (N, 2) float64, row and column.
        box: (N, 4) int64: top, left, height, width.
    """

    labels: npt.NDArray[np.int32]
    area: Ints
    centroid: Floats
    box: Ints

    def __len__(self) -> int:
        return len(self.area)


def label_components(mask: Mask) -> Components:
    """The `Components` of an HxW bool mask."""
    pixels = np.ascontiguousarray(mask, dtype=bool).view(np.uint8)
    # The pixel-wise algorithm numbers components as skimage does; OpenCV's default works on 2x2 blocks and does not.
    _, labels, stats, centroid = cv2.connectedComponentsWithStatsWithAlgorithm(pixels, CONNECTIVITY, cv2.CV_32S, cv2.CCL_SAUF)
    stats = stats[1:].astype(np.int64)
    box = stats[:, [cv2.CC_STAT_TOP, cv2.CC_STAT_LEFT, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH]]
    labels, centroid = labels.astype(np.int32, copy=False), centroid[1:, ::-1].astype(np.float64, copy=False)
    return Components(labels, stats[:, cv2.CC_STAT_AREA], centroid, box)


def label_top(labels: npt.NDArray[Any]) -> int:
    """The value of full target in labels that belong together: 1 where none is higher, as in labels of 0 and 1, else 255."""
    return 255 if labels.size and labels.max() > 1 else 1


def target_masks(label: npt.ArrayLike, top: int | None = None) -> tuple[Mask, Mask]:
    """The two target masks that a label stands for.

    Arguments:
        label (np.ndarray): HxW bool, 0/1, or grey 0..255.
        top: The value of full target, 1 or 255, decided once for all labels that belong together. None is for a label that
            stands alone, which `label_top` then decides for.

    Returns:
        tuple[np.ndarray, np.ndarray]: HxW bool masks: grey level above 127 (`exact`), and grey level 255, the only one
        that survives the integer cast of ACM, DNANet, IRSAM and BasicIRSTD. One and the same array for a bool label.

    Raises:
        ZooError: Not HxW, not numeric, empty, or outside 0..255.
    """
    label = np.asarray(label)
    if label.ndim != 2 or label.size == 0 or label.dtype.kind not in "buif":
        raise ZooError(f"expected a label of shape (H, W) with numbers, got shape {label.shape} of {label.dtype}")
    if label.dtype == bool:
        return label, label
    low, high = label.min(), label.max()
    if not (low >= 0 and high <= 255):  # also true of NaN
        raise ZooError("a label must hold values from 0 to 255, or 0 and 1; check the mask file")
    top = label_top(label) if top is None else top
    return label > 127 * top / 255, label == top


def checked_mask(mask: npt.ArrayLike, shape: tuple[int, ...], name: str = "prediction") -> Mask:
    """An HxW bool mask, or ZooError where the dtype or the shape differ from those of the label."""
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise ZooError(f"expected a bool {name}, got {mask.dtype}; cut the score map first")
    if mask.shape != shape:
        raise ZooError(f"{name} of shape {mask.shape} does not fit a label of shape {shape}")
    return mask
