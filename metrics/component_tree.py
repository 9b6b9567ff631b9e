"""The compiled loop behind `metrics.history`."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from irsam_zoo.metrics.typing import Ints, Levels

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(function: Loop) -> Loop:
    """Machine code of a function, kept on disk for the next process where a folder for it can be written to."""
    try:
        return cast(Loop, numba.njit(cache=True)(function))
    except RuntimeError:  # neither beside the source nor in the user's cache folder: it is compiled in each process
        return cast(Loop, numba.njit(function))


@compiled
def component_tree(levels: Levels) -> Ints:
    """Every component of every level, by a union-find that takes pixels from the highest level down.

    Arguments:
        levels (np.ndarray): HxW uint8, C-contiguous.

    Returns:
        np.ndarray: (N, 5) int64, a row a component in order of falling birth: area, sums of its rows and of its columns,
        birth and death as in `metrics.history.History`.
    """
    height, width = levels.shape
    stride = width + 2  # a border of one pixel around the map, which no tree ever holds
    ends = np.zeros(257, np.int64)  # pixels of level k are order[ends[k + 1] : ends[k]]
    for level in levels.flat:
        ends[level] += 1
    for level in range(255, -1, -1):
        ends[level] += ends[level + 1]
    free, order = ends[1:].copy(), np.empty(levels.size, np.int32)
    for y in range(height):
        for x in range(width):
            level = levels[y, x]
            order[free[level]] = (y + 1) * stride + x + 1
            free[level] += 1

    around = np.array([-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1])
    parent = np.full((height + 2) * stride, -1, np.int32)  # -1: not in a tree yet
    sums = np.empty((len(parent), 3), np.int64)  # of a root: px, rows and columns of its tree
    entry = np.full(len(parent), -1, np.int32)  # of a root: its row of the result, -1 while it has none
    found = np.empty((2 * levels.size, 5), np.int64)  # a pixel makes a row when it comes, a merge at most one a tree lost
    made = 0
    for level in range(255, 0, -1):
        pixels = order[ends[level + 1] : ends[level]]
        for pixel in pixels:
            root = pixel
            parent[root] = root
            sums[root, 0], sums[root, 1], sums[root, 2] = 1, root // stride - 1, root % stride - 1
            for step in around:
                other = pixel + step
                if parent[other] < 0:
                    continue
                while parent[other] != other:
                    parent[other] = parent[parent[other]]
                    other = parent[other]
                if other == root:
                    continue
                if sums[root, 0] < sums[other, 0]:
                    root, other = other, root
                parent[other] = root
                for k in range(3):
                    sums[root, k] += sums[other, k]
                for tree in (root, other):
                    if entry[tree] >= 0:
                        found[entry[tree], 4] = level
                        entry[tree] = -1
        for pixel in pixels:
            root = pixel
            while parent[root] != root:
                root = parent[root]
            if entry[root] < 0:
                entry[root] = made
                for k in range(3):
                    found[made, k] = sums[root, k]
                found[made, 3], found[made, 4] = level, 0
                made += 1
    return found[:made].copy()
