"""The metrics as an mmengine metric, for runners and evaluators."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from mmengine.evaluator import BaseMetric  # pyright: ignore[reportMissingTypeStubs]
from mmengine.registry import METRICS  # pyright: ignore[reportMissingTypeStubs]

from irsam_zoo.metrics.compute import compute_metrics
from irsam_zoo.metrics.metric import IRSTDMetrics
from irsam_zoo.metrics.typing import Counts
from irsam_zoo.zoo.errors import ZooError


@METRICS.register_module()  # pyright: ignore[reportUnknownMemberType, reportUntypedClassDecorator]
class IRSTDMetric(BaseMetric):
    """IoU, nIoU, Pd and Fa in an mmengine evaluator.

    A data sample is a dict or an object with the same attributes. Its label is ``gt_sem_seg``; its prediction is
    ``seg_logits``, with one channel that is cut at the threshold, or two whose difference (target minus background) is; or
    else ``pred_sem_seg``, a mask. Each is a 1xHxW or HxW tensor, or holds one under ``data``. Labels are 0/1 or grey 0..255:
    there is no ignored class.

    Every process keeps the counts of its own images and nothing else, so it does not matter how they are distributed.

    Arguments:
        protocol: ``"exact"``, ``"irsam"``, ``"dnanet"`` or ``"basicirstd"``.
        threshold: Logits above it are target.
        collect_device: ``"cpu"`` or ``"gpu"``, where counts of several processes are gathered.
        prefix: Put before the names of the metrics.

    Raises:
        UsageError: No such protocol.
    """

    default_prefix = "irstd"

    def __init__(
        self, *, protocol: str = "exact", threshold: float = 0.0, collect_device: str = "cpu", prefix: str | None = None
    ):
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.metrics = IRSTDMetrics(protocol=protocol, threshold=threshold)

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Count a batch; the counts of each image are appended to ``self.results``."""
        for sample in data_samples:
            self.metrics.per_image = []  # how labels are read is decided once for all of them
            self.metrics.update(_prediction(sample), _plane(_field(sample, "gt_sem_seg")), tolerant=True)
            self.results.extend(self.metrics.per_image)

    def compute_metrics(self, results: list[Counts]) -> dict[str, float]:
        """Fractions by name; NaN where undefined, which loggers can format and None they cannot."""
        metrics = compute_metrics(results, self.metrics.protocol)
        return {name: np.nan if value is None else value for name, value in metrics.items()}


def _prediction(sample: Any) -> Any:
    """HxW logits or bool mask of a data sample."""
    logits = _field(sample, "seg_logits")
    if logits is not None:
        if logits.ndim == 3 and len(logits) == 2:
            return logits[1] - logits[0]
        return _plane(logits)
    mask = _field(sample, "pred_sem_seg")
    if mask is None:
        raise ZooError("a data sample has neither seg_logits nor pred_sem_seg; let the model's predict mode set one")
    return _plane(mask) > 0


def _field(sample: Any, name: str) -> Any:
    """The array of a field of a dict or an object, with or without a ``data`` level; None where there is none."""
    value: Any = sample.get(name) if hasattr(sample, "get") else getattr(sample, name, None)
    if isinstance(value, dict):
        return cast(Any, value["data"])
    return value.data if hasattr(value, "keys") else value


def _plane(array: Any) -> Any:
    """HxW of an HxW or 1xHxW array."""
    if array is None:
        raise ZooError("a data sample has no gt_sem_seg; the data pipeline must load the labels")
    if array.ndim == 3:
        if len(array) != 1:
            raise ZooError(f"expected one channel, or two of logits, got shape {tuple(array.shape)}")
        return array[0]
    return array
