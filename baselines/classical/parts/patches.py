"""Patch grids: the overlapping windows that low-rank methods cut an image into, and the ways back to an image."""

import torch

LAYOUTS = ("dai", "gao")


class PatchGrid:
    """The square windows of an image, in the order in which they are stacked.

    ``"dai"`` is the layout of Dai and Wu's gen_patch_ten.m, shared by RIPT, PSTNN and NRAM: the last window of each side is
    moved back onto the border, so the windows cover the image; columns are the outer loop. ``"gao"`` is the layout of
    Gao's IPI (main.m): no window crosses or touches the border by force, so up to step - 1 rows and columns at the far end
    may stay uncovered; rows are the outer loop.

    Where the image is smaller than the window, the window shrinks to the smaller side of the image, and the step to the
    window if it is larger. The original codes stop with an error there.

    Arguments:
        height, width: Size of the image in px.
        size: Side of a window in px.
        step: Distance between windows in px.
        layout: ``"dai"`` or ``"gao"``.

    Attributes:
        size, step: As used, after shrinking.
        count: Number P of windows.
        tops, lefts: First row of each window of a column of windows, first column of each window of a row, ascending.
    """

    def __init__(self, height, width, *, size, step, layout="dai"):
        if layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {LAYOUTS}, not {layout!r}")
        if size < 1 or step < 1:
            raise ValueError(f"size and step must be at least 1, not {size} and {step}")
        self.height, self.width, self.layout = height, width, layout
        self.size = min(size, height, width)
        self.step = min(step, self.size) if self.size < size else step
        self.tops = _starts(height, self.size, self.step, snap=layout == "dai")
        self.lefts = _starts(width, self.size, self.step, snap=layout == "dai")
        self.count = len(self.tops) * len(self.lefts)

    def extract(self, image):
        """Patch tensor of an HxW image: PxSxS, in the order of the layout."""
        offsets = torch.arange(self.size, device=image.device)
        rows = torch.tensor(self.tops, device=image.device)[:, None] + offsets
        columns = torch.tensor(self.lefts, device=image.device)[:, None] + offsets
        if self.layout == "dai":
            patches = image[rows[None, :, :, None], columns[:, None, None, :]]
        else:
            patches = image[rows[:, None, :, None], columns[None, :, None, :]]
        return patches.reshape(self.count, self.size, self.size)

    def restore(self, patches, rule):
        """Image of a patch tensor.

        Arguments:
            patches: PxSxS tensor in the order of `extract`.
            rule: What a pixel under several windows gets: ``"last"`` (the value of the last of them), ``"mean"`` or
                ``"median"`` (of an even number: the mean of the middle two).

        Returns:
            torch.Tensor: HxW. Pixels under no window are 0.
        """
        if rule not in ("last", "mean", "median"):
            raise ValueError(f"rule must be last, mean or median, not {rule!r}")
        image = patches.new_zeros(self.height, self.width)
        values = patches.reshape(-1)
        down = _coverings(self.height, self.tops, self.size, patches.device, only_last=rule == "last")
        across = _coverings(self.width, self.lefts, self.size, patches.device, only_last=rule == "last")
        # The windows over a pixel are all pairs of a row start and a column start over it: pixels with equally many of
        # both form a block, and the last pair holds the last of both in either loop order.
        for rows, top, row in down:
            for columns, left, column in across:
                patch = self._patch_index(top[:, None, :, None], left[None, :, None, :])
                entry = (patch * self.size + row[:, None, :, None]) * self.size + column[None, :, None, :]
                image[rows[:, None], columns] = _combine(values[entry.flatten(2)], rule)
        return image

    def _patch_index(self, top, left):
        return left * len(self.tops) + top if self.layout == "dai" else top * len(self.lefts) + left


def to_patch_image(patches):
    """Patch image of a PxSxS patch tensor: (S*S)xP, each column one patch read column by column."""
    return patches.transpose(1, 2).reshape(patches.shape[0], -1).T


def from_patch_image(columns):
    """PxSxS patch tensor of an (S*S)xP patch image; undoes `to_patch_image`."""
    size = round(columns.shape[0] ** 0.5)
    return columns.T.reshape(-1, size, size).transpose(1, 2)


def _starts(length, size, step, *, snap):
    starts = list(range(0, length - size + 1, step))
    if snap and starts[-1] + size < length:
        starts.append(length - size)
    return starts


def _coverings(length, starts, size, device, *, only_last):
    """Positions along one side, grouped by the number n of windows over them.

    Returns:
        list of (G positions, Gxn indices into ``starts`` ascending, Gxn offsets inside those windows).
    """
    position = torch.arange(length, device=device)
    offset = position[:, None] - torch.tensor(starts, device=device)
    over = (offset >= 0) & (offset < size)
    counts = over.sum(1)
    groups = []
    for count in counts[counts > 0].unique().tolist():
        members = position[counts == count]
        index = over[members].nonzero()[:, 1].reshape(-1, count)
        if only_last:
            index = index[:, -1:]
        groups.append((members, index, offset[members].gather(1, index)))
    return groups


def _combine(values, rule):
    """... x n coverings of each pixel to one value."""
    if rule == "last":
        return values[..., -1]
    if rule == "mean":
        return values.mean(-1)
    ordered = values.sort(-1).values
    count = values.shape[-1]
    return (ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2
