"""A cell of the table: one method on one data set. Small, hashable and picklable, so that it travels to workers."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from irsam_zoo.datasets import IRSTDDataset, build_dataset
from irsam_zoo.runtime.hardware import usable_device
from irsam_zoo.zoo import build_method, load_plugin
from irsam_zoo.zoo.detector import Detector, MetricSize
from irsam_zoo.zoo.specs import MethodSpec, detector_class, options_of

if TYPE_CHECKING:
    from irsam_zoo.zoo.neural import NeuralDetector


@dataclass(frozen=True)
class Cell:
    """What has to be known, anywhere, to score images of one cell.

    Attributes:
        method: Name of the row.
        spec: What the method was asked for by: the name again, or a configuration file.
        options: The method's ``dict(type=..., ...)`` as JSON with sorted keys.
        dataset: Name of the data set, as results are filed.
        split: Name of the split, as results are filed.
        source: What `datasets.build_dataset` takes: the name again, or a folder of the user's own.
        lists: What it takes as split: the name again, or a folder of lists.
        root: Folder of the data sets, or None for the default places.
        device: ``"cpu"`` or ``"cuda"``.
        plugins: Plug-in files that have to be imported first.
        module: Module that registers the method, to be imported after them.
        predictions: Folder for predicted masks, or None.
        metric_size: ``"native"``, or ``"input"`` to score a network that resizes images at the size of its input.
        scores: Folder for score maps, or None.
        score_form: What they are written as: ``"png"`` or ``"npy"``.
        card: What the configuration changes of the method's card, as JSON.
        timeout: Seconds that an image may take, or None.
        run: Of the benchmark run: what a process opened for another one, whose files may have changed, is not used again.
    """

    method: str
    spec: str
    options: str
    dataset: str
    split: str
    source: str
    lists: str
    root: str | None = None
    device: str = "cpu"
    plugins: tuple[str, ...] = ()
    module: str = "irsam_zoo.zoo"
    predictions: str | None = None
    metric_size: MetricSize = "native"
    scores: str | None = None
    score_form: str = "png"
    card: str = "{}"
    timeout: float | None = None
    run: str = ""

    @cached_property
    def method_options(self) -> dict[str, Any]:
        """The method's constructor options, ``type`` among them."""
        return json.loads(self.options)

    def prediction_path(self, image_id: str) -> Path:
        """Where the predicted mask of an image goes."""
        assert self.predictions is not None
        return Path(self.predictions) / self.dataset / self.split / self.method / f"{image_id}.png"

    @property
    def score_folder(self) -> Path:
        """Where the score maps go."""
        assert self.scores is not None
        return Path(self.scores) / self.dataset / self.split / self.method

    def score_path(self, image_id: str) -> Path:
        """Where the score map of an image goes."""
        return self.score_folder / f"{image_id}.{self.score_form}"


def method_cell(
    method: MethodSpec,
    *,
    threshold: str | None = None,
    find_checkpoint: Callable[[str], Path | None] | None = None,
    device: str = "auto",
    **fields: Any,
) -> Cell:
    """A `Cell` of a method.

    Arguments:
        method (MethodSpec): The method.
        threshold: Policy that overrides the method's own, or None.
        find_checkpoint: Function from the method's name to a file of weights or None; asked where the spec names none.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``; a method that stays where it is, on NumPy, is on the CPU.
        fields: The other fields of the cell.
    """
    options = dict(method.options)
    if threshold is not None:
        options["threshold"] = threshold
    cls = detector_class(options["type"])
    if find_checkpoint is not None and "checkpoint" not in options and "checkpoint" in options_of(cls):
        checkpoint = find_checkpoint(method.name)
        if checkpoint is not None:
            options["checkpoint"] = str(checkpoint)
    return Cell(
        method=method.name,
        options=json.dumps(options, sort_keys=True),
        card=json.dumps(method.card, sort_keys=True),
        module=cls.__module__,
        device="cpu" if cls.to is Detector.to else usable_device(device),
        **fields,
    )


@lru_cache(maxsize=2)
def cell_detector(cell: Cell) -> Detector:
    """The detector of a cell, built once a process and benchmark run, and moved to the cell's device."""
    for plugin in cell.plugins:
        load_plugin(plugin)
    importlib.import_module(cell.module)
    return build_method(MethodSpec(cell.method, cell.method_options, json.loads(cell.card)), weights=None).to(cell.device)


def network_of(detector: Detector) -> "NeuralDetector | None":
    """The detector itself where it has a network; of its class PyTorch is not to be imported for the others."""
    return cast("NeuralDetector", detector) if detector.network is not None else None


def cell_dataset(cell: Cell) -> IRSTDDataset:
    """The test set of a cell, opened once a process."""
    return open_dataset(cell.source, cell.root, cell.lists, cell.run)


@lru_cache(maxsize=4)
def open_dataset(source: str, root: str | None, lists: str, run: str) -> IRSTDDataset:
    """The test subset of a data set, opened once a process and benchmark run."""
    return build_dataset(source, root=root, split=lists, subset="test")
