"""Small targets of the synthetic data set: Gaussian spots of a given area and signal-to-clutter ratio, in integers alone."""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from irsam_zoo.datasets.backgrounds import GREY, Dice

MOST_TARGETS = 4
LARGEST_AREA = 80
ATTEMPTS = 60
REACH = 24  # px from its centre to which a spot is drawn; the largest has fallen below a thousandth there
BORDER = 4  # px that a centre keeps from the image's border
SUBPIXEL = 8  # centres lie on a grid of 1/8 px
RING = 10  # px: width of the ring that the clutter is measured on
SATURATION = 250 * GREY
ONE = 1 << 16  # height of a spot in fixed point
# 2 ** -u = (1 - u * (1 - 2 ** (-1 / 32))) ** 32 at u = 1: 65536 * (1 - 2 ** (-1 / 32)) = 1404.2, rounded to the safe side.
HALVING = 1403
LEAST_LIMIT = 256  # of the squared distance at half height: 1/2 px (4 steps) along an axis of weight 16

Box = tuple[int, int, int, int]  # first row, row after the last, first column, column after the last
Form = tuple[int, int, int, int]  # area and a, b, c of `draw_spot`


def add_targets(dice: Dice, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place 1 to 4 targets on a background.

    The ratio of a target is set on the background with its noise: (mean over the mask - mean of the ring) / standard
    deviation of the ring, 1.2 to 19.9 before rounding to grey levels. The ring is 10 px wide and starts as far from the
    mask's bounding box as that is long, plus 2 px; no other target reaches into it.

    Arguments:
        dice (Dice): Source of randomness.
        background: HxW int64 in fixed point.

    Returns:
        tuple: HxW uint8 image; HxW uint8 label, 255 on targets and 0 elsewhere.
    """
    picture = background.copy()
    mask = np.zeros(background.shape, bool)
    spots, rings = [], []  # boxes that belong to the targets so far
    wanted = dice.integer(1, MOST_TARGETS)
    for _ in range(ATTEMPTS):
        if len(spots) == wanted:
            break
        centre, form = draw_spot(dice, background.shape)
        profile = spot_profile(background.shape, centre, form)
        support = profile >= ONE // 2
        box = bounding_box(support)
        guard = max(box[1] - box[0], box[3] - box[2]) + 2
        spot, ring = grow(box, guard, support.shape), grow(box, guard + RING, support.shape)
        ratio = log_uniform(dice, (12, 25, 50, 100))
        if any(overlap(spot, other) for other in rings) or any(overlap(ring, other) for other in spots):
            continue
        height = spot_height(background, support, profile, spot, ring, ratio)
        if height is None:
            continue
        picture += profile * height // ONE
        mask |= support
        spots.append(spot)
        rings.append(ring)
    image = np.clip((picture + GREY // 2) // GREY, 0, 255).astype(np.uint8)
    return image, mask.astype(np.uint8) * 255


def draw_spot(dice: Dice, shape: tuple[int, ...]) -> tuple[tuple[int, int], Form]:
    """A centre in 1/8 px and a form: the area in px and a, b, c of the squared distance a x^2 + b x y + c y^2."""
    row = dice.integer(BORDER * SUBPIXEL, (shape[0] - BORDER) * SUBPIXEL - 1)
    column = dice.integer(BORDER * SUBPIXEL, (shape[1] - BORDER) * SUBPIXEL - 1)
    area = min(log_uniform(dice, (1, 2, 4, 8, 16, 32, 64)), LARGEST_AREA - 2)  # equal distances may add a pixel or two
    a, c = dice.integer(16, 32), dice.integer(16, 32)
    skew = isqrt(a * c)  # b^2 <= a c keeps the form an ellipse, whose axes differ by a factor of 2 at most
    return (row, column), (area, a, dice.integer(-skew, skew), c)


def spot_profile(shape: tuple[int, ...], centre: tuple[int, int], form: Form) -> np.ndarray:
    """HxW int64 of 0..65536: a Gaussian that is at least half its height on ``area`` pixels, those nearest to the centre."""
    area, a, b, c = form
    profile = np.zeros(shape, np.int64)
    row, column = centre[0] // SUBPIXEL, centre[1] // SUBPIXEL
    top, bottom = max(row - REACH, 0), min(row + REACH + 1, shape[0])
    left, right = max(column - REACH, 0), min(column + REACH + 1, shape[1])
    y = np.arange(top, bottom, dtype=np.int64)[:, None] * SUBPIXEL - centre[0]
    x = np.arange(left, right, dtype=np.int64)[None] * SUBPIXEL - centre[1]
    distance = a * x * x + b * x * y + c * y * y
    limit = max(int(np.partition(distance.ravel(), area - 1)[area - 1]), LEAST_LIMIT)
    value = np.maximum(ONE - HALVING * distance // limit, 0)
    for _ in range(5):  # the 32nd power
        value = value * value // ONE
    profile[top:bottom, left:right] = value
    return profile


def spot_height(
    background: np.ndarray, support: np.ndarray, profile: np.ndarray, spot: Box, ring: Box, ratio: int
) -> int | None:
    """The height that gives a spot its ratio (in tenths), in fixed point; None where it would drown or saturate."""
    sums = zip(moments(background, ring), moments(background, spot), strict=True)
    count, total, squares = (outer - inner for outer, inner in sums)
    mean, deviation = total // count, isqrt(count * squares - total * total) // count
    missing = mean + ratio * deviation // 10 - int(background[support].sum()) // int(support.sum())
    if missing < max(deviation // 2, 2 * GREY):
        return None
    height = missing * int(support.sum()) * ONE // int(profile[support].sum())
    return height if int((background + profile * height // ONE).max()) <= SATURATION else None


def moments(picture: np.ndarray, box: Box) -> tuple[int, int, int]:
    """Number, sum and sum of squares of the pixels in a box, as Python integers."""
    values = picture[box[0] : box[1], box[2] : box[3]]
    return values.size, int(values.sum()), int((values * values).sum())


def log_uniform(dice: Dice, steps: Sequence[int]) -> int:
    """An integer from one of the octaves that begin at ``steps``: each octave is as likely as the next."""
    low = steps[dice.integer(0, len(steps) - 1)]
    return dice.integer(low, 2 * low - 1)


def bounding_box(mask: np.ndarray) -> Box:
    """First row, row after the last, first column, column after the last of the True pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def grow(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """A box with a margin on each side, within the image."""
    top, bottom, left, right = box
    return max(top - margin, 0), min(bottom + margin, shape[0]), max(left - margin, 0), min(right + margin, shape[1])


def overlap(box: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]
