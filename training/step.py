"""One step of a training: forward, loss, backward, optimiser and average, captured where that can be."""

from typing import Any, cast

import torch
from mmengine.optim import OptimWrapperDict

from irsam_zoo.training.capture import CapturedSteps
from irsam_zoo.training.optim import StepOptimWrapper, can_be_captured
from irsam_zoo.zoo.terminal import warn


class Step:
    """Trains a model on a batch.

    Arguments:
        model: With mmengine's ``train_step``.
        wrapper: Its `training.optim.StepOptimWrapper`, or mmengine's dict of them.
        average: Called at the end of each step.
        graphs: Of `training.capture.CudaGraphs`'s kind, or None for steps that are taken operation by operation.
    """

    def __init__(self, model, wrapper, *, average=lambda: None, graphs=None):
        self.model, self.wrapper, self.average = model, wrapper, average
        wrappers = [*wrapper.values()] if isinstance(wrapper, OptimWrapperDict) else [wrapper]
        self.optimizers = cast(list[StepOptimWrapper], wrappers)
        self.captured = None
        refusing = sorted({type(each.optimizer).__name__ for each in self.optimizers if not can_be_captured(each)})
        if graphs is not None and refusing:
            warn(f"steps of {', '.join(refusing)} cannot be captured; they are taken operation by operation")
        elif graphs is not None:
            self.captured = CapturedSteps(self._take, graphs, clean=self._drop_gradients, tell=warn)

    def __call__(self, batch: dict[str, torch.Tensor], kind: Any = None) -> dict[str, torch.Tensor]:
        """Take a step.

        Arguments:
            batch: ``inputs`` and ``masks``, Bx1xhxw, on the device where steps are captured.
            kind: Whatever decides what the step does, beside the values of tensors.

        Returns:
            dict[str, torch.Tensor]: The losses. Where steps are captured, the next one overwrites them.
        """
        for optimizer in self.optimizers:
            optimizer.show_rates()
        return self._take(batch) if self.captured is None else self.captured(batch, kind)

    def _take(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        losses = self.model.train_step(batch, optim_wrapper=self.wrapper)
        self.average()
        return {name: value.detach() for name, value in losses.items()}

    def _drop_gradients(self):
        """Of a capture that failed, which lie in its memory."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
