"""Images that stand twice in a data set, or nearly."""

import numpy as np
from PIL import Image

SIDE = 48
ALIKE = 0.99


def thumbnail(image):
    """SIDE x SIDE picture of an HxW uint8 image as a vector of mean 0 and length 1; all 0 for a constant image."""
    small = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float64).ravel()
    small -= small.mean()
    length = np.linalg.norm(small)
    return (small / length if length else small).astype(np.float32)


def near_duplicates(thumbnails, others):
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
