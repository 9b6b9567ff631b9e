"""Filters of the local contrast measures: a core layer, and cells in a 3x3 arrangement around every pixel."""

from functools import reduce

import torch
import torch.nn.functional as F

from irsam_zoo.zoo.errors import UsageError

# The smallest positive mean of nine grey levels that an 8-bit image can have. It stands in for a surround of exactly 0.
DARKEST_SURROUND = 1 / 9

NEIGHBOURS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))

LARGEST = 9  # pixels averaged in a cell: K of the paper, eq. 2, and of TLLCM.m


def core_layer(image):
    """HxW image smoothed with [1 2 1; 2 4 2; 1 2 1] / 16, border pixels repeated (TLLCM paper, eq. 1)."""
    padded = F.pad(image[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16


def cell_largest(image, *, size, count):
    """Mean of the ``count`` largest pixels of every cell; pixels outside the image are 0.

    Neighbouring cells share their sorted runs: runs of 1, 2, 4, ... pixels are merged, first down the columns, then
    along the rows, and no more than ``count`` entries of a run are kept.

    Arguments:
        image: HxW float tensor, not negative.
        size: Side of a cell in px, odd.
        count: Pixels to average, at most ``size * size``.

    Returns:
        torch.Tensor: (H+2*size)x(W+2*size), in the image's dtype. Entry (size+r, size+c) belongs to the cell centred on
        pixel (r, c); the margin holds the cells centred up to ``size`` px outside the image.
    """
    levels = image.to(torch.uint8)
    exact = torch.equal(levels.to(image.dtype), image)
    # An 8-bit image stays 8-bit: the same order at an eighth of the memory traffic.
    run = [F.pad(levels if exact else image, (size + size // 2,) * 4)]
    for axis in (0, 1):
        run = _sorted_windows(run, axis, size, count)
    total = run[0].to(image.dtype)
    for entry in run[1:]:
        total += entry
    return total / count


def cell_mean(image: torch.Tensor, *, size: int) -> torch.Tensor:
    """Mean of every cell, border pixels repeated; HxW and result as for `cell_largest`."""
    margin = size + size // 2
    padded = F.pad(image[None, None], (margin,) * 4, mode="replicate")[0, 0]
    rows = reduce(torch.add, (padded[k : padded.shape[0] - size + 1 + k] for k in range(size)))
    return reduce(torch.add, (rows[:, k : rows.shape[1] - size + 1 + k] for k in range(size))) / size**2


def centre_cell(cells, size):
    """The cell centred on each pixel: HxW view of a result of `cell_largest` or `cell_mean`."""
    return cells[size:-size, size:-size]


def surrounding_cells(cells, size):
    """The eight cells around the centre cell of each pixel: list of HxW views, row by row."""
    height, width = (side - 2 * size for side in cells.shape)
    return [cells[(1 + i) * size :, (1 + j) * size :][:height, :width] for i, j in NEIGHBOURS]


def brightest_surround(largest, size):
    """Largest of the eight surrounding cells at each pixel (HxW), never 0, from a result of `cell_largest`."""
    brightest = torch.stack(surrounding_cells(largest, size)).amax(0)
    return torch.where(brightest > 0, brightest, DARKEST_SURROUND)


def _sorted_windows(run, axis, length, limit):
    """Merge the runs of ``length`` neighbours along an axis.

    Arguments:
        run: Descending entries, a list of tensors of one shape.

    Returns:
        list of tensors: The ``limit`` largest entries of each window, descending; the axis is shorter by length - 1.
    """
    merged, covered = [], 0
    block, width = run, 1
    while True:
        if length & width:
            merged, covered = _joined(merged, covered, block, width, axis, limit)
        if 2 * width > length:
            return merged
        block, width = _joined(block, width, block, width, axis, limit)


def _joined(first, first_length, second, second_length, axis, limit):
    """Runs of two window lengths to runs of their sum: the second window starts where the first ends."""
    if not first:
        return second, second_length
    extent = second[0].shape[axis] - first_length
    first = [entry.narrow(axis, 0, extent) for entry in first]
    second = [entry.narrow(axis, first_length, extent) for entry in second]
    return _merge(first, second, limit), first_length + second_length


def _merge(first, second, limit):
    """The ``limit`` largest of two descending runs, descending: Batcher's odd-even merge without the unused outputs."""
    first, second = first[:limit], second[:limit]
    if not first or not second:
        return first or second
    if limit == 1:
        return [torch.maximum(first[0], second[0])]
    if len(first) == len(second) == 1:
        return [torch.maximum(first[0], second[0]), torch.minimum(first[0], second[0])]
    even = _merge(first[::2], second[::2], limit // 2 + 1)
    odd = _merge(first[1::2], second[1::2], limit // 2)
    result = even[:1]
    for low, high in zip(odd, even[1:], strict=False):
        result.append(torch.maximum(low, high))
        if len(result) < limit:
            result.append(torch.minimum(low, high))
    paired = min(len(odd), len(even) - 1)
    return (result + odd[paired:] + even[1 + paired :])[:limit]


def checked_scales(scales):
    """Scales as a tuple of int.

    Raises:
        UsageError: None given, or one is even or below 3, the smallest cell that holds nine pixels.
    """
    scales = tuple(int(size) for size in scales)
    if not scales or any(size < 3 or size % 2 == 0 for size in scales):
        raise UsageError(f"scales must be odd and at least 3, not {scales}")
    return scales
