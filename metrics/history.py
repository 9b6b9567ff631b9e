"""Every component of every level of a map, found in one pass from the highest level down."""

from typing import NamedTuple

import numpy as np

from irsam_zoo.metrics.typing import Floats, Ints, Levels


class History(NamedTuple):
    """All distinct 8-connected components of the masks ``levels >= k``, k = 1..255.

    Attributes:
        area: (N,) int64, px.
        centroid: (N, 2) float64, row and column.
        birth: (N,) int64, the highest level at which the component has this form.
        death: (N,) int64, the level at which it has grown or merged; 0 where it lasts to level 1.
    """

    area: Ints
    centroid: Floats
    birth: Ints
    death: Ints


def component_history(levels: Levels) -> History:
    """The `History` of a map.

    Each pixel is visited once, not once a level, so a map of white noise costs a fraction of 255 labellings.

    Arguments:
        levels (np.ndarray): HxW uint8.

    Returns:
        History: In order of falling birth.
    """
    from irsam_zoo.metrics.component_tree import component_tree  # it loads the compiler, which most commands do not need

    rows, columns = np.flatnonzero(levels.any(axis=1)), np.flatnonzero(levels.any(axis=0))
    if len(rows) == 0:
        return History(np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    levels = np.ascontiguousarray(levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    area, row, column, birth, death = component_tree(levels).T
    centroid = np.column_stack([row / area + rows[0], column / area + columns[0]])
    return History(area=area, centroid=centroid, birth=birth, death=death)
