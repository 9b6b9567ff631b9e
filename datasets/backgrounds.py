"""Backgrounds of the synthetic data set, in integers alone.

Pictures here are HxW int64 in 1/256 of a grey level ("fixed point"), 0..255 levels; `datasets.synthetic` says why.
"""

from functools import reduce

import numpy as np

GREY = 256  # one grey level in fixed point
BRIGHTEST = 185 * GREY  # backgrounds stay below, so that targets have room above

# Standard deviation of the sum of eight random bytes: sqrt(8 * (256**2 - 1) / 12).
EIGHT_BYTES_STD = 209
SMOOTH_STD = 115  # of `smooth_noise`: two box filters keep 0.55 of the above


class Dice:
    """Random integers from the raw output of PCG64.

    Arguments:
        seed: Integers that together select the sequence.
    """

    def __init__(self, *seed: int):
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def integer(self, low: int, high: int) -> int:
        """One integer of low..high, both included. The bias of the modulus is below 2**-50 for the ranges used here."""
        return low + int(self._bits.random_raw()) % (high - low + 1)

    def noise(self, height: int, width: int) -> np.ndarray:
        """HxW int64, near Gaussian: the sum of eight bytes less its mean; standard deviation 209."""
        octets = self._bits.random_raw(height * width).view(np.uint8)  # a sum of bytes is the same in either byte order
        return octets.reshape(height, width, 8).sum(axis=2, dtype=np.int64) - 4 * 255


def clouds(dice: Dice, side: int) -> np.ndarray:
    """Clouds over a clear sky: noise whose amplitude falls as 1/f^1.5, cut off below where the sky is clear."""
    contrast, base = dice.integer(12, 30), dice.integer(40, 110)
    field = fractal_noise(dice, side) * contrast
    clear = -contrast * GREY * dice.integer(0, 12) // 8
    return finish(dice, base * GREY + np.maximum(field, clear), dice.integer(1, 4))


def sea(dice: Dice, side: int) -> np.ndarray:
    """Waves drawn out sideways, swell stripes whose crests wander, and a brightness that falls away from the horizon."""
    base, fall = dice.integer(60, 110), dice.integer(0, 40)
    rows = np.arange(side, dtype=np.int64)[:, None]
    picture = base * GREY - rows * (fall * GREY) // side + np.zeros((side, side), np.int64)
    for step, contrast in ((2, dice.integer(3, 8)), (4, dice.integer(3, 8)), (8, dice.integer(2, 6))):
        picture += smooth_noise(dice, side, step, 8 * step) * (contrast * GREY) // SMOOTH_STD
    period, height = dice.integer(10, 28) * GREY, dice.integer(3, 12)
    phase = rows * GREY + smooth_noise(dice, side, 16, 32) * dice.integer(4, 16)
    triangle = np.abs(phase % period - period // 2)  # 0..period/2
    picture += triangle * (2 * height * GREY) // period
    return finish(dice, picture, dice.integer(2, 5))


def skyline(dice: Dice, side: int) -> np.ndarray:
    """Buildings with lit windows below a sky that brightens towards the horizon."""
    base, rise = dice.integer(30, 70), dice.integer(0, 40)
    rows = np.arange(side, dtype=np.int64)[:, None]
    picture = base * GREY + rows * (rise * GREY) // side + fractal_noise(dice, side) * dice.integer(1, 8)
    tallest = side // dice.integer(3, 5)
    left = -dice.integer(0, 10)
    while left < side:
        width, height = dice.integer(side // 20, side // 6), dice.integer(tallest // 4, tallest)
        wall = picture[side - height :, max(left, 0) : max(left + width, 0)]
        wall[...] = dice.integer(50, 150) * GREY
        pitch, glow = dice.integer(4, 8), dice.integer(-25, 25) * GREY
        windows = wall[2::pitch, 1::pitch]
        windows += glow * (dice.noise(*windows.shape) > 0)
        left += width + dice.integer(0, 3)
    return finish(dice, picture, dice.integer(1, 4))


def plain(dice: Dice, side: int) -> np.ndarray:
    """A flat scene with a slope, under the noise of a bad sensor and its column stripes."""
    base, slope = dice.integer(40, 120), dice.integer(-30, 30)
    columns = np.arange(side, dtype=np.int64)[None]
    picture = base * GREY + columns * (slope * GREY) // side + np.zeros((side, side), np.int64)
    picture += dice.noise(1, side) * (dice.integer(0, 3) * GREY) // EIGHT_BYTES_STD
    return finish(dice, picture, dice.integer(4, 10))


BACKGROUNDS = (clouds, sea, skyline, plain)


def finish(dice: Dice, picture: np.ndarray, noise: int) -> np.ndarray:
    """Add sensor noise of that standard deviation, in grey levels, and keep the picture within 0 and `BRIGHTEST`."""
    picture = picture + dice.noise(*picture.shape) * (noise * GREY) // EIGHT_BYTES_STD
    return np.clip(picture, 0, BRIGHTEST)


def fractal_noise(dice: Dice, side: int) -> np.ndarray:
    """HxW noise of six octaves whose standard deviation is about 256; an octave's amplitude grows as step ** 0.5."""
    octaves = ((2, 3), (4, 4), (8, 6), (16, 8), (32, 11), (64, 16))
    field = reduce(np.add, (smooth_noise(dice, side, step, step) * weight for step, weight in octaves))
    return field * GREY // (SMOOTH_STD * 22)  # 22 = root of the sum of squared weights


def smooth_noise(dice: Dice, side: int, step_y: int, step_x: int) -> np.ndarray:
    """HxW noise without detail finer than the steps, in px: random cells, box-filtered twice. Standard deviation about 115."""
    cells = dice.noise(-(-side // step_y) + 2, -(-side // step_x) + 2)
    field = cells.repeat(step_y, axis=0).repeat(step_x, axis=1)
    for _ in range(2):
        field = box_filter(box_filter(field, step_y, axis=0), step_x, axis=1)
    return field[:side, :side]


def box_filter(field: np.ndarray, width: int, axis: int) -> np.ndarray:
    """Mean of ``width`` neighbours, rounded down, where all of them exist: the axis gets shorter by ``width - 1``."""
    sums = np.cumsum(field, axis=axis)
    tail = [slice(None)] * 2
    head = [slice(None)] * 2
    tail[axis], head[axis] = slice(width - 1, None), slice(None, -width)
    result = sums[tuple(tail)].copy()
    rest = [slice(None)] * 2
    rest[axis] = slice(1, None)
    result[tuple(rest)] -= sums[tuple(head)]
    return result // width
