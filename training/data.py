"""Training samples whose bytes depend on the seed and their place in the run alone, so that a run resumes exactly."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, count
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torch.utils.data import default_collate as stack

from irsam_zoo import PROGRAM
from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.base import Item
from irsam_zoo.datasets.levels import MASK_LEVEL
from irsam_zoo.datasets.transforms import TARGET, Compose
from irsam_zoo.zoo.errors import UsageError, ZooError

READERS = 4


class TrainingSet(Dataset):
    """Images of a data set, decoded once and kept in memory, with augmentation.

    Arguments:
        dataset (IRSTDDataset): The training subset.
        ids: Which of its ids to use.
        augmentations: Configurations for `datasets.transforms.Compose`, by the number of the sample that each begins with.
        seed: Of the augmentation.
        targets: Function of a mask as `zoo.neural.NeuralDetector.targets`, or None.

    Raises:
        ZooError: An image cannot be read, or no mask has a target.
    """

    metainfo = {}  # mmengine asks for it

    def __init__(
        self,
        dataset: IRSTDDataset,
        ids: Sequence[str],
        augmentations: Mapping[int, Sequence[dict[str, Any]]],
        seed: int,
        targets: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None,
    ):
        self.augment_by(augmentations)
        self.seed, self.targets = seed, targets
        with ThreadPoolExecutor(READERS) as pool:
            items = pool.map(dataset.read, ids)
            self.pairs = [(item["image"], item["mask"].astype(np.uint8) * TARGET) for item in items]
        if not any(mask.any() for _, mask in self.pairs):
            raise ZooError(
                f"none of the {len(self.pairs)} training masks of {dataset.name} has a target pixel, above {MASK_LEVEL}; "
                f"{PROGRAM} data --check tells what they hold"
            )

    def augment_by(self, augmentations: Mapping[int, Sequence[dict[str, Any]]]) -> None:
        """Take other augmentations; the images stay."""
        self.starts = sorted(augmentations)
        self.augment = [Compose(augmentations[start]) for start in self.starts]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, torch.Tensor]:
        """One augmented sample.

        Arguments:
            key: ``(serial, index)``: the sample's number in the run, and the image's.

        Returns:
            dict[str, torch.Tensor]: ``inputs`` (1xhxw uint8, 0..255) and ``masks`` (1xhxw uint8, 0 or 1), and `targets` of it.
        """
        serial, index = key
        rng = np.random.default_rng((self.seed, serial))
        augment = self.augment[bisect_right(self.starts, serial) - 1]
        image, mask = augment(*self.pairs[index], rng)
        mask = mask // TARGET
        further = self.targets(mask) if self.targets is not None else {}
        return {"inputs": torch.from_numpy(image)[None], "masks": torch.from_numpy(mask)[None]} | {
            name: torch.from_numpy(array) for name, array in further.items()
        }


class SeededBatches(Sampler):
    """Endless batches of ``(serial, index)`` for one process, each a function of the seed and the iteration.

    An epoch is a fresh permutation, of which a remainder that fills no batch is dropped: a last batch of one image would
    stop batch norm behind a global pooling. A set smaller than a batch is repeated.

    Arguments:
        size: Number of images.
        batch_size: Of each process.
        seed: Of the permutations.
        rank, world_size: Which of how many processes; their batches are disjoint.

    Attributes:
        first: The iteration that the next iterator starts with.
    """

    def __init__(self, size: int, batch_size: int, seed: int, rank: int = 0, world_size: int = 1):
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.first = 0

    def __len__(self) -> int:
        """Iterations in an epoch."""
        return max(1, self.size // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        together = self.batch_size * self.world_size
        order, drawn = np.empty(0, int), -1
        for iteration in count(self.first):
            epoch, step = divmod(iteration, len(self))
            if drawn != epoch:
                order, drawn = np.random.default_rng((self.seed, epoch)).permutation(self.size), epoch
                order = np.resize(order, max(self.size, together))
            start = step * together + self.rank * self.batch_size
            serial = iteration * together + self.rank * self.batch_size
            yield [(serial + place, int(order[start + place])) for place in range(self.batch_size)]


class PhasedBatches(Sampler):
    """As `SeededBatches`, for one process, with batches whose size goes by the phase; no image of an epoch is left out.

    Arguments:
        size: Number of images.
        phases: ``(steps, batch size)`` of each. The last goes on for ever.
        seed: Of the permutations.

    Attributes:
        first: The iteration that the next iterator starts with.
    """

    def __init__(self, size: int, phases: Sequence[tuple[int, int]], seed: int):
        self.size = size
        self.seed = seed
        self.batch_sizes = [batch_size for _, batch_size in phases]
        self.starts = [0, *accumulate(steps for steps, _ in phases[:-1])]
        self.serials = [0, *accumulate(steps * batch_size for steps, batch_size in phases[:-1])]
        self.first = 0

    def __len__(self) -> int:
        """Iterations of the last phase in an epoch."""
        return max(1, self.size // self.batch_sizes[-1])

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order, drawn = np.empty(0, int), -1
        for iteration in count(self.first):
            phase = bisect_right(self.starts, iteration) - 1
            batch_size = self.batch_sizes[phase]
            first = self.serials[phase] + (iteration - self.starts[phase]) * batch_size
            batch = []
            for serial in range(first, first + batch_size):
                epoch, place = divmod(serial, self.size)
                if drawn != epoch:
                    order, drawn = np.random.default_rng((self.seed, epoch)).permutation(self.size), epoch
                batch.append((serial, int(order[place])))
            yield batch


def training_loader(training_set: TrainingSet, batches: SeededBatches | PhasedBatches, workers: int) -> DataLoader[Any]:
    """A loader of uint8 batches ``inputs`` and ``masks``, Bx1xhxw.

    Arguments:
        training_set (TrainingSet): What to load.
        batches (SeededBatches | PhasedBatches): In which order.
        workers: Processes beside this one; 0 loads in this one.
    """
    cv2.setNumThreads(1)  # of this process and those that it forks, which share the cores already
    return DataLoader(
        training_set,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=stack,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=workers > 0,
    )


def validation_loader(dataset: IRSTDDataset, ids: Sequence[str]) -> DataLoader[Any]:
    """Whole images of a data set, one at a time: ``id``, ``image`` and ``mask``, as the data set gives them."""
    return DataLoader(_Items([dataset.read(id) for id in ids]), batch_size=1, collate_fn=list)


class _Items(Dataset):
    metainfo = {}

    def __init__(self, items: Sequence[Item]):
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Item:
        return self.items[index]


def split_validation(
    ids: Sequence[str], seed: int, fraction: float = 0.1, sequence: Callable[[str], str] = lambda id: id
) -> tuple[list[str], list[str]]:
    """Divide a training list into two: what to train on, and a random part to choose the best weights by.

    Arguments:
        ids: The list.
        seed: Of the draw.
        fraction: Of the list that the second part has, or somewhat more where whole sequences are drawn.
        sequence: Function from an id to what must stay together, such as `IRSTDDataset.sequence`.

    Returns:
        tuple[list[str], list[str]]: Both in the order of the list; neither is empty.

    Raises:
        UsageError: The list has one image, or one sequence.
    """
    frames = {}
    for id in ids:
        frames.setdefault(sequence(id), []).append(id)
    if len(frames) < 2:
        what = "image" if len(ids) < 2 else "sequence"
        raise UsageError(f"a training list of one {what} cannot be divided; say --select last")
    wanted, held = max(1, round(len(ids) * fraction)), set()
    for name in np.random.default_rng((seed, len(ids))).permutation([*frames])[:-1].tolist():
        if len(held) >= wanted:
            break
        held.update(frames[name])
    return [id for id in ids if id not in held], [id for id in ids if id in held]
