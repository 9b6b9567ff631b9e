"""Colours that are no tinge of grey: those in which thermal cameras show heat, whose luma need not rise with it."""

import numpy as np

from irsam_zoo.datasets.reader import Stored, to_eight_bits

# A channel of a slightly coloured image, as published sets have them, differs from another one by less, or on fewer pixels.
TINGE, PART = 64, 0.1


def false_colours(stored: Stored) -> bool:
    """Whether the channels of a `datasets.reader.Stored` image differ by more than 64 on more than a tenth of its pixels."""
    if stored.palette is not None:
        colours = stored.palette[stored.levels]
    elif stored.levels.ndim == 3:
        colours = to_eight_bits(stored.levels)
    else:
        return False
    red, green, blue = (colours[..., channel] for channel in range(3))
    difference = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return bool((difference > TINGE).mean() > PART)
