"""Whether two images show the same scene, cropped or scaled, by matching local features.

NUDT-SIRST pastes its targets into crops of pictures of which IRSTD-1k has the whole (XDU992 to XDU1000): no comparison of
whole frames finds them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

CONTRAST_LIMIT, CONTRAST_TILES = 2.0, (4, 4)  # of the equalisation: infrared images use few of their grey levels
RATIO = 0.8  # of the distances to the nearest and the second nearest descriptor (Lowe, IJCV 2004, sec. 7.1)
TOLERANCE = 3.0  # px
SCALES = (0.4, 2.5)  # of one image in the other
FEWEST = 5  # matches that a similarity transform is looked for among


class Keypoints(NamedTuple):
    """Key points of an image: Kx2 positions in px, and KxD descriptors of length 1."""

    places: np.ndarray
    descriptors: np.ndarray


def find_keypoints(image: np.ndarray, *, most: int, longest_side: int | None = None) -> Keypoints:
    """SIFT key points of an HxW uint8 image.

    Arguments:
        image: The image.
        most: How many are kept, the strongest.
        longest_side: A larger image is first reduced to this, in px.
    """
    image = cv2.createCLAHE(CONTRAST_LIMIT, CONTRAST_TILES).apply(image)
    factor = longest_side / max(image.shape) if longest_side else 1
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found, descriptors = cv2.SIFT.create(nfeatures=most).detectAndCompute(image, None)
    if descriptors is None:
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    descriptors /= np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-9)
    return Keypoints(np.array([point.pt for point in found], np.float32)[:most], descriptors[:most])


def matches(points: Keypoints, others: Sequence[Keypoints]) -> np.ndarray:
    """How well the scene of one image is found in others.

    Arguments:
        points (Keypoints): Of the one.
        others (list[Keypoints]): Of the images to look at.

    Returns:
        np.ndarray: For each of the others, how many matches agree on a similarity transform; 0 for fewer than `FEWEST`.
    """
    agreeing = np.zeros(len(others), int)
    usable = [k for k, other in enumerate(others) if len(other.places) >= FEWEST]
    if len(points.places) < FEWEST or not usable:
        return agreeing
    likeness = points.descriptors @ np.concatenate([others[k].descriptors for k in usable]).T
    ends = np.cumsum([len(others[k].places) for k in usable])
    for k, block in zip(usable, np.split(likeness, ends[:-1], axis=1), strict=True):
        agreeing[k] = _agreeing(points.places, others[k].places, block)
    return agreeing


def _agreeing(places: np.ndarray, other_places: np.ndarray, likeness: np.ndarray) -> int:
    """Mutual nearest neighbours that pass Lowe's ratio test and agree on one similarity transform."""
    nearest = likeness.argmax(axis=1)
    rows = np.flatnonzero(likeness.argmax(axis=0)[nearest] == np.arange(len(nearest)))
    if len(rows) < FEWEST:
        return 0
    first, second = np.partition(likeness[rows], -2, axis=1)[:, [-1, -2]].T
    rows = rows[1 - first < RATIO**2 * (1 - second)]
    if len(rows) < FEWEST:
        return 0
    found, kept = cv2.estimateAffinePartial2D(places[rows], other_places[nearest[rows]], ransacReprojThreshold=TOLERANCE)
    if found is None or not SCALES[0] < np.hypot(found[0, 0], found[1, 0]) < SCALES[1]:
        return 0
    return int(kept.sum()) if kept.sum() >= FEWEST else 0
