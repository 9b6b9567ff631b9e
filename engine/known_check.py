"""Known weights, scored as their publishers score them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from irsam_zoo.datasets import FolderDataset, build_dataset, found_datasets
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.datasets.reader import fit_label, read_colour, read_opencv_grey
from irsam_zoo.metrics import IRSTDMetrics
from irsam_zoo.runtime.executors import available_cores, unordered, worker_pool
from irsam_zoo.zoo import UsageError, ZooError, build_method, build_threshold
from irsam_zoo.zoo.errors import one_line
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.weights.known_weights import KnownWeights, Result

UNITS = {"IoU": 1e2, "nIoU": 1e2, "Pd": 1e2, "Fa": 1e6}
# What rounding on another machine may change: some pixels at the edges of masks, one target of 260, a fortieth of false pixels.
TOLERANCES = {"IoU": 0.1, "nIoU": 0.1, "Pd": 0.4}
FALSE_PIXELS = 1 / 40


@dataclass(frozen=True)
class Check:
    """What came of known weights on one test list.

    Attributes:
        known (KnownWeights), result (Result): Which.
        figures: The metrics in the units of `Result`; empty where the list could not be scored.
        reason: Why not, in one line, or None.
    """

    known: KnownWeights
    result: Result
    figures: dict[str, float]
    reason: str | None = None

    @property
    def missed(self) -> list[str]:
        """The metrics that are not as stated or, where nothing is stated or that cannot be reproduced, as measured before."""
        again = {name: self.result.measured[name] for name in self.result.unreproducible}
        wanted = (self.result.stated or self.result.measured) | again
        return [name for name, value in wanted.items() if self.figures and not self._meets(name, value)]

    def _meets(self, name: str, value: float) -> bool:
        return name in self.figures and close(name, self.figures[name], value)

    @property
    def failed(self) -> bool:
        """True where a figure is missed, or the list could not be scored though its data set is there."""
        return bool(self.missed or self.reason)


def close(metric: str, figure: float, other: float) -> bool:
    """Whether two figures of a metric are equal but for what rounding on another machine may change."""
    return abs(figure - other) <= TOLERANCES.get(metric, FALSE_PIXELS * other)


def check_known(
    files: Sequence[tuple[KnownWeights, Path]],
    data_root: str | None = None,
    jobs: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[Check]:
    """Score known weights on every test list that there are stated figures of.

    Arguments:
        files (list[tuple[KnownWeights, Path]]): What to score.
        data_root: Folder of the data sets, or None for the default places.
        jobs: Worker processes; None for one a core.
        report: Called with a line of text as each list is done, and for those whose data set is not there.

    Returns:
        list[Check]: In the order of the files and their results.

    Raises:
        UsageError: None of the data sets is there.
    """
    here = found_datasets(data_root)
    lists = [(known, result, str(path)) for known, path in files for result in known.results]
    absent = sorted({result.dataset for _, result, _ in lists} - {*here})
    if absent:
        report(f"not scored, for want of the data: {', '.join(absent)} (--data-root names the folder of the data sets)")
    tasks = [(place, *task, data_root) for place, task in enumerate(lists) if task[1].dataset in here]
    if not tasks:
        raise UsageError("no data set to score these weights on; name the folder that holds them by --data-root")
    checks = {}
    with worker_pool(min(jobs or available_cores(), len(tasks))) as pool:
        for place, check in unordered(pool, _check, tasks):
            checks[place] = check
            name = f"{check.known.name} on {check.result.dataset} ({check.result.split})"
            report(f"{name}: {len(checks)} of {len(tasks)} done")
    return [checks[place] for place in sorted(checks)]


def publisher_metrics(known: KnownWeights, result: Result, path: str | Path, data_root: str | None = None) -> dict[str, float]:
    """Metrics of a known file on one test list, taken as its publisher takes them.

    Returns:
        dict: IoU, nIoU and Pd in 1e-2, Fa in 1e-6, as far as they are defined.

    Raises:
        ZooError: The file cannot be loaded, an image not be read, or the weights were trained on an image of the list.
        UsageError: The data set is not there.
    """
    detector = build_method(known.spec, checkpoint=path)
    dataset = build_dataset(result.dataset, root=data_root, split=result.split)
    if not (isinstance(detector, NeuralDetector) and detector.weights and isinstance(dataset, FolderDataset)):
        raise ZooError(f"{known.name} on {result.dataset} is no network on the files of a data set; leave this result out")
    seen = overlap(detector.weights.metadata, dataset)
    if seen:
        raise ZooError(f"{known.name} was trained on {len(seen)} of the test images, {seen[0]} among them")
    metrics, threshold = IRSTDMetrics(protocol=known.protocol.metrics), build_threshold(known.protocol.threshold)
    for id in dataset.ids:
        grey, mask = dataset.read_files(id)
        image = grey.pixels
        if known.protocol.colour:
            image = read_colour(dataset.image_path(id))
        elif known.protocol.opencv_grey:
            image = read_opencv_grey(dataset.image_path(id))
        if known.protocol.size == "input":  # from the mask's own size, also where that is not the image's (Misc_111)
            image, label = detector.at_input_size(image, mask.pixels)
        else:
            label = fit_label(mask.pixels, image.shape[:2], dataset.mask_path(id))
        planes = torch.from_numpy(np.atleast_3d(image)).movedim(-1, 0)
        # The mask, not the logits: another sigmoid of BasicIRSTD's, which are probabilities first, would lose the last bit.
        metrics.update(threshold(detector.logit_maps(planes[None])[0]), label)
    figures = {name: value for name, value in metrics.compute().items() if name in UNITS}
    return {name: value * UNITS[name] for name, value in figures.items() if value is not None}


def _check(place: int, known: KnownWeights, result: Result, path: str, data_root: str | None) -> tuple[int, Check]:
    try:
        return place, Check(known, result, publisher_metrics(known, result, path, data_root))
    except ZooError as error:
        return place, Check(known, result, {}, one_line(error))
