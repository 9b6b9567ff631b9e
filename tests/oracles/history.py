"""Every component of every level of a map in NumPy, a union-find that takes all links of a level at once."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from irsam_zoo.metrics.history import History


def component_history(levels):
    """As `metrics.history.component_history`, but for the order of the components that a level adds."""
    rows, columns = np.flatnonzero(levels.any(axis=1)), np.flatnonzero(levels.any(axis=0))
    if len(rows) == 0:
        return History(np.zeros(0, np.int64), np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    levels = np.ascontiguousarray(levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    pixels, pixel_ends = _falling(levels.ravel())
    one, other, link_level = _links(levels)
    order, link_ends = _falling(link_level)
    one, other = one.take(order), other.take(order)
    forest = _Forest(levels.shape)
    for level in range(255, 0, -1):
        fresh = pixels[pixel_ends[level + 1] : pixel_ends[level]]
        if len(fresh):
            links = slice(link_ends[level + 1], link_ends[level])
            forest.grow(level, fresh, one[links], other[links])
    area, row, column = np.concatenate(forest.sums_made, axis=1)
    return History(
        area=area.astype(np.int64),
        centroid=np.column_stack([row / area + rows[0], column / area + columns[0]]),
        birth=np.repeat(forest.levels_made, [sums.shape[1] for sums in forest.sums_made]),
        death=forest.death[: len(area)],
    )


class _Forest:
    """Trees of pixels, one a component. A root carries the sums of its tree."""

    def __init__(self, shape):
        height, width = shape
        size = height * width
        self.parent = np.arange(size)
        self.sums = np.empty((3, size))  # px, rows, columns: whole numbers far below 2^53, so float64 is exact
        self.sums[0] = 1
        self.sums[1] = np.repeat(np.arange(height), width)
        self.sums[2] = np.tile(np.arange(width), height)
        self.entry = np.full(size, -1)  # of a root: its latest row in the history
        self.slot = np.empty(size, np.int64)
        self.death = np.zeros(2 * size, np.int64)  # a pixel makes an entry when it comes, a merge at most one a tree lost
        self.made = 0
        self.sums_made, self.levels_made = [], []

    def grow(self, level, fresh, one, other):
        """Add the pixels of a level, and join trees along its links."""
        one, other = self._roots(one), self._roots(other)
        apart = one != other
        roots = self._join(level, one[apart], other[apart])
        alone = fresh[self.entry.take(fresh) < 0]
        roots = np.concatenate([roots, alone])
        self.entry[roots] = np.arange(self.made, self.made + len(roots))
        self.made += len(roots)
        self.sums_made.append(self.sums.take(roots, axis=1))
        self.levels_made.append(level)

    def _roots(self, nodes):
        root = self.parent.take(nodes)
        above = self.parent.take(root)
        while (above != root).any():
            root, above = above, self.parent.take(above)
        self.parent[nodes] = root
        return root

    def _join(self, level, one, other):
        """Join trees given by their roots, and close the entries of those that were there; the new roots."""
        if len(one) == 0:
            return one
        nodes = np.concatenate([one, other])
        position = np.arange(len(nodes))
        self.slot[nodes] = position
        first = self.slot.take(nodes)  # one position a node, without sorting
        kept = first == position
        number = (np.cumsum(kept) - 1).take(first)
        nodes = nodes[kept]
        count, group = connected_components(_graph(number, len(nodes)), directed=False)
        root = np.empty(count, np.int64)
        root[group] = nodes
        largest = self.sums[0, nodes].argmax()
        root[group[largest]] = nodes[largest]  # the giant of a noise map stays the root, so that paths stay short
        closed = self.entry.take(nodes)
        self.death[closed[closed >= 0]] = level
        self.entry[nodes] = 0  # taken; roots get their new entry from the caller
        self.parent[nodes] = root[group]
        self.sums[:, root] = [np.bincount(group, weights=values, minlength=count) for values in self.sums.take(nodes, axis=1)]
        return root


def _graph(number, nodes):
    """Adjacency matrix of the links between the first and the second half of a list of node numbers."""
    one, other = np.split(number, 2)
    order = np.argsort(one, kind="stable")
    starts = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(one, minlength=nodes), out=starts[1:])
    return csr_array((np.ones(len(one)), other[order], starts), shape=(nodes, nodes))


def _falling(level):
    """Positions from the highest level down, and ends so that ``ends[k + 1]:ends[k]`` are those of level k."""
    ends = np.zeros(257, np.int64)
    ends[:256] = np.cumsum(np.bincount(level, minlength=256)[::-1])[::-1]
    return np.argsort(255 - level, kind="stable"), ends


def _links(levels):
    """Links between neighbours that are enough to keep every level's components: (K,) pixel, (K,) pixel, (K,) level.

    A link has the lower level of its two pixels. In every block of 2x2 pixels the lowest of the four sides is left out
    (the other three make up for it), and a diagonal is needed only if it is above both pixels beside it.
    """
    height, width = levels.shape
    index = np.arange(height * width).reshape(height, width)
    across, down = np.minimum(levels[:, :-1], levels[:, 1:]), np.minimum(levels[:-1], levels[1:])
    top, bottom, left, right = across[:-1], across[1:], down[:, :-1], down[:, 1:]
    keep_across, keep_down = across > 0, down > 0
    # Equal sides are ranked top, bottom, left, right: without one strict order a ring of equal sides would lose them all.
    keep_across[:-1] &= (top > bottom) | (top > left) | (top > right)
    keep_across[1:] &= (bottom >= top) | (bottom > left) | (bottom > right)
    keep_down[:, :-1] &= (left >= top) | (left >= bottom) | (left > right)
    keep_down[:, 1:] &= (right >= top) | (right >= bottom) | (right >= left)
    a, b, c, d = levels[:-1, :-1], levels[:-1, 1:], levels[1:, :-1], levels[1:, 1:]
    falling, rising = np.minimum(a, d), np.minimum(b, c)
    keep_falling, keep_rising = falling > np.maximum(b, c), rising > np.maximum(a, d)
    kept = [
        (index[:, :-1], index[:, 1:], across, keep_across),
        (index[:-1], index[1:], down, keep_down),
        (index[:-1, :-1], index[1:, 1:], falling, keep_falling),
        (index[:-1, 1:], index[1:, :-1], rising, keep_rising),
    ]
    return tuple(np.concatenate([part[column][part[3]] for part in kept]) for column in range(3))
