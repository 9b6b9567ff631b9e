"""Images that stand twice in a data set or in two, or nearly."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.fingerprint import FINGERPRINT_DIR, published_facts
from irsam_zoo.datasets.keypoints import Keypoints, find_keypoints, matches
from irsam_zoo.zoo.errors import ZooError

SIDE = 48
ALIKE = 0.99
# Between sets: a thumbnail that correlates so well makes a pair a candidate, and details as well make it a pair. Different
# smooth skies reach 0.99 by thumbnails (NUDT-SIRST 001161 and NUAA-SIRST Misc_138), and no pair of them 0.4 by details.
CANDIDATE = 0.9
DETAIL_SIDE = 128
DETAIL_SIGMA = 3.0
DETAIL_ALIKE = 0.5
# How many key points agree on one similarity transform: of few points of small pictures, enough for a candidate and enough
# for a pair; of many points of whole pictures, enough for a pair. Chance pairs of the published sets reach 6 and 5, pairs of
# one scene 55 and 248.
COARSE = dict(most=150, longest_side=320)
FINE = dict(most=800)
COARSE_CANDIDATE, COARSE_ALIKE, FINE_ALIKE = 5, 8, 10
READERS = 4
# Pairs of the published sets, all images of all splits, as `compare` finds them: set and id of the one, and of the other.
PAIRS = FINGERPRINT_DIR / "near_duplicates.txt"


class Pair(NamedTuple):
    """An image of one data set and its near-duplicate in another."""

    dataset: str
    id: str
    other_dataset: str
    other_id: str


def thumbnail(image: np.ndarray) -> np.ndarray:
    """SIDE x SIDE picture of an HxW uint8 image as a vector of mean 0 and length 1; all 0 for a constant image."""
    return _unit(np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float64))


def details(image: np.ndarray) -> np.ndarray:
    """What a Gaussian blur takes from an HxW uint8 image at 128x128 px, as a vector of mean 0 and length 1."""
    small = cv2.resize(image, (DETAIL_SIDE, DETAIL_SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    return _unit(small - cv2.GaussianBlur(small, (0, 0), DETAIL_SIGMA))


def _unit(pixels: np.ndarray) -> np.ndarray:
    vector = pixels.ravel() - pixels.mean()
    length = np.linalg.norm(vector)
    return (vector / length if length else vector).astype(np.float32)


def near_duplicates(thumbnails: np.ndarray, others: np.ndarray) -> list[tuple[int, int, float]]:
    """Pairs of images whose thumbnails correlate by more than 0.99.

    Arguments:
        thumbnails, others (np.ndarray): NxD and MxD, rows of `thumbnail`.

    Returns:
        list[tuple[int, int, float]]: Row of the first, row of its most similar other, and their correlation; one a row of
        the first that has such a partner.
    """
    if not len(thumbnails) or not len(others):
        return []
    correlation = thumbnails @ others.T
    best = correlation.argmax(axis=1)
    values = correlation[np.arange(len(best)), best]
    return [(int(row), int(best[row]), float(values[row])) for row in np.flatnonzero(values > ALIKE)]


def cross_duplicates(datasets: Sequence[IRSTDDataset], others: Sequence[IRSTDDataset]) -> list[Pair]:
    """Images that are near-duplicates of an image of another data set: the same picture, or the same scene cropped or scaled.

    Arguments:
        datasets, others (list[IRSTDDataset]): Such as the training and the test lists of several sets. Two of one name are
            not compared. Published sets are looked up in the package's list of pairs, others compared: a minute for a
            million pairs.

    Returns:
        list[Pair]: All such pairs, in the order of the first. Unreadable images have none.
    """
    look = cache(_Looks)
    pairs = []
    for dataset in datasets:
        for other in others:
            if other.name == dataset.name:
                continue
            if _published(dataset) and _published(other):
                pairs += _known_pairs(dataset, other)
            else:
                pairs += look(dataset).alike(look(other))
    return pairs


def compare(dataset: IRSTDDataset, other: IRSTDDataset) -> list[Pair]:
    """As `cross_duplicates` for two data sets, whatever the package knows of them."""
    return _Looks(dataset).alike(_Looks(other))


def _published(dataset: IRSTDDataset) -> bool:
    return bool(published_facts(dataset.name)) and not dataset.own


def _known_pairs(dataset: IRSTDDataset, other: IRSTDDataset) -> list[Pair]:
    """The package's pairs of two published sets, as far as both images are in them."""
    rows = [line.split() for line in PAIRS.read_text().splitlines()]
    pairs = [Pair(*row) for row in rows] + [Pair(*row[2:], *row[:2]) for row in rows]
    places, others = {id: place for place, id in enumerate(dataset.ids)}, set(other.ids)
    found = [p for p in pairs if (p.dataset, p.other_dataset) == (dataset.name, other.name)]
    return sorted((p for p in found if p.id in places and p.other_id in others), key=lambda p: places[p.id])


class _Looks:
    """What the images of a data set look like: NxD thumbnails and details and N `Keypoints`, with the ids of these N."""

    def __init__(self, dataset: IRSTDDataset):
        self.dataset, self.name = dataset, dataset.name
        with ThreadPoolExecutor(READERS) as pool:
            found = [look for look in pool.map(self._look, dataset.ids) if look is not None]
        self.ids = [look[0] for look in found]
        self.thumbnails, self.details = (np.array([look[k] for look in found]) for k in (1, 2))
        self.keypoints = [look[3] for look in found]
        self._fine: dict[int, Keypoints] = {}

    def _look(self, id: str) -> tuple[str, np.ndarray, np.ndarray, Keypoints] | None:
        try:
            image, _ = self.dataset.read_grey_pair(id)
        except ZooError:
            return None
        return id, thumbnail(image), details(image), find_keypoints(image, **COARSE)

    def fine(self, row: int) -> Keypoints:
        """Key points of a whole image."""
        if row not in self._fine:
            self._fine[row] = find_keypoints(self.dataset.read_grey_pair(self.ids[row])[0], **FINE)
        return self._fine[row]

    def alike(self, other: "_Looks") -> list[Pair]:
        """The `Pair`s of these images with those of another set."""
        if not self.ids or not other.ids:
            return []
        alike = (self.thumbnails @ other.thumbnails.T > CANDIDATE) & (self.details @ other.details.T > DETAIL_ALIKE)
        coarse = np.array([matches(points, other.keypoints) for points in self.keypoints])
        found = (coarse >= COARSE_ALIKE) | self._confirmed(other, (coarse >= COARSE_CANDIDATE) & (coarse < COARSE_ALIKE))
        # A scene that was met once is looked for in every image.
        wider = found.any(axis=1, keepdims=True) | found.any(axis=0, keepdims=True)
        alike |= found | self._confirmed(other, wider & ~found & ~alike)
        return [
            Pair(self.name, self.ids[row], other.name, other.ids[column]) for row, column in zip(*alike.nonzero(), strict=True)
        ]

    def _confirmed(self, other: "_Looks", candidates: np.ndarray) -> np.ndarray:
        """Which of the pairs show one scene by the key points of the whole images."""
        found = np.zeros_like(candidates)
        for row in np.flatnonzero(candidates.any(axis=1)).tolist():
            columns = np.flatnonzero(candidates[row]).tolist()
            found[row, columns] = matches(self.fine(row), [other.fine(column) for column in columns]) >= FINE_ALIKE
        return found
