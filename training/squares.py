"""Training squares cut on the device: whole batches at once, from the draws that `datasets.transforms` makes of each sample."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from irsam_zoo.datasets.transforms import TARGET, RandomCrop, RandomFlip, RandomTranspose


class DeviceSquares:
    """A loader of batches, as `training.data.training_loader` gives them, that are cut where they are used.

    All images lie on the device as they were read. A sample's chances are drawn on the host by its seed and serial, a dozen
    numbers; cutting, zooming, mirroring and swapping are a few operations on the batch. Squares that are not zoomed are those
    of the transforms to the byte; zoomed ones differ by one grey level at most (OpenCV rounds its weights), and their masks
    in nothing.

    Arguments:
        samples (engine.training.data.TrainingSet): With augmentations that `can_cut` holds for.
        batches (SeededBatches | PhasedBatches): In which order.
        device: Where images lie and batches are made.
    """

    def __init__(self, samples, batches, device):
        self.dataset, self.batch_sampler, self.device = samples, batches, torch.device(device)
        images, masks = ([pair[place] for pair in samples.pairs] for place in (0, 1))
        self.shapes = [image.shape for image in images]
        self.starts = np.cumsum([0, *(image.size for image in images[:-1])])
        self.targets = [np.flatnonzero(mask != 0) for mask in masks]
        flat = (np.concatenate([part.reshape(-1) for part in parts]) for parts in (images, masks))
        self.images, self.masks = (torch.from_numpy(part).to(self.device) for part in flat)

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        for batch in self.batch_sampler:
            yield self.cut(batch)

    def cut(self, batch: Sequence[tuple[int, int]]) -> dict[str, torch.Tensor]:
        """The samples of a batch.

        Arguments:
            batch: ``(serial, index)`` of each: the sample's number in the run, and the image's.

        Returns:
            dict[str, torch.Tensor]: ``inputs`` (Bx1xSxS uint8, 0..255) and ``masks`` (Bx1xSxS uint8, 0 or 1) on the device.
        """
        crop, *turns = self.dataset.augment[bisect_right(self.dataset.starts, batch[0][0]) - 1].transforms
        plans = torch.from_numpy(np.array([self._draw(crop, turns, serial, index) for serial, index in batch]))
        if self.device.type == "cuda":  # or the host would wait for the copy, and for what was asked of the GPU before it
            plans = plans.pin_memory()
        inputs, masks = squares(self.images, self.masks, plans.to(self.device, non_blocking=True), crop.size, plans[:, 5].max())
        return {"inputs": inputs, "masks": masks}

    def _draw(self, crop, turns, serial, index):
        """A row of `squares`' plans, by the chances of a serial number."""
        rng = np.random.default_rng((self.dataset.seed, serial))
        shape = self.shapes[index]
        top, left, side = crop.draw(shape, lambda: self.targets[index], rng)
        mirrored, swapped = [False, False], False
        for turn in turns:
            if isinstance(turn, RandomTranspose):
                swapped ^= turn.draw(rng)
            else:
                mirrored[turn.axis ^ swapped] ^= turn.draw(rng)  # of the two axes of the square as it was cut
        return [self.starts[index], *shape, top, left, side, *mirrored, swapped]


def can_cut(samples):
    """Whether `DeviceSquares` makes the samples of a `TrainingSet`: crops, then nothing but flips and swaps, and no targets."""
    return samples.targets is None and all(_cuts_alone(augment.transforms) for augment in samples.augment)


def _cuts_alone(transforms):
    crop, *turns = transforms or [None]
    return isinstance(crop, RandomCrop) and all(isinstance(turn, (RandomFlip, RandomTranspose)) for turn in turns)


def squares(images, masks, plans, size, most):
    """Cut squares out of flattened images, bring them to one size, mirror and swap them.

    Arguments:
        images, masks: All pixels of all images in one row each, uint8.
        plans: Bx9 integers: where the image starts in the row, its height and width, top, left and side of the square,
            whether rows and whether columns are mirrored, and whether they are swapped after that.
        size: Side of the result in px.
        most: The largest side among the plans.

    Returns:
        tuple[torch.Tensor, torch.Tensor]: Bx1x``size``x``size`` uint8: grey levels, and 1 on targets and 0 elsewhere.
    """
    start, height, width, top, left, side, mirror_rows, mirror_columns, swapped = plans.T[..., None]

    def pixels(source, rows, columns):
        """B x rows x columns of ``source``, zeros outside of the images."""
        rows, columns = (top + rows)[:, :, None], (left + columns)[:, None, :]
        inside = (rows < height[..., None]) & (columns < width[..., None])
        place = start[..., None] + rows * width[..., None] + columns
        return torch.where(inside, source[torch.where(inside, place, 0)], 0)

    def turned(batch):
        return torch.where(swapped[..., None].bool(), batch.mT, batch)[:, None]

    grid = torch.arange(size, device=plans.device)[None]
    rows, columns = (torch.where(mirror.bool(), size - 1 - grid, grid) for mirror in (mirror_rows, mirror_columns))
    nearest = (((2 * place + 1) * side) // (2 * size) for place in (rows, columns))
    mask = pixels(masks, *nearest) // TARGET
    within = torch.arange(int(most), device=plans.device)[None]
    cut = pixels(images, within, within).float()
    grey = _weights(rows, side, size, within) @ cut @ _weights(columns, side, size, within).mT
    return turned((grey + 0.5).floor().to(torch.uint8)), turned(mask)


def _weights(places, side, size, within):
    """What each pixel of a square has to do with the pixels at ``places`` of the resized one: Bx``size``x``most``.

    Bilinear between pixel centres where it grows, by area where it shrinks, as `datasets.transforms.resized` does.
    """
    ratio = (side / size)[..., None]
    places, within = places[..., None], within[:, None, :]
    centre = ((places + 0.5) * ratio - 0.5).clamp(min=0).minimum(side[..., None] - 1)
    tent = (1 - (centre - within).abs()).clamp(min=0)
    overlap = (torch.minimum((places + 1) * ratio, within + 1) - torch.maximum(places * ratio, within)).clamp(min=0)
    return torch.where(ratio > 1, overlap / ratio, tent)
