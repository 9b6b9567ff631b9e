"""The average of a network's weights, of all tensors at once and within the step."""

import torch
from mmengine.hooks import EMAHook
from mmengine.model import ExponentialMovingAverage, MomentumAnnealingEMA
from mmengine.runner import Runner


class AverageHook(EMAHook):
    """mmengine's hook, whose average the training loop takes as the last part of a step, so that it can be captured with it.

    mmengine averages tensor by tensor and asks the device for the number of steps each time.

    Arguments:
        kwargs: Those of `mmengine.hooks.EMAHook`; averages other than exponential ones are taken as mmengine takes them.
    """

    def before_train(self, runner):
        super().before_train(runner)
        average, source = self.ema_model, self.src_model.state_dict()
        pairs = [(mean, source[key]) for key, mean in average.avg_parameters.items() if mean.dtype.is_floating_point]
        self.means, self.weights = (list(part) for part in zip(*pairs, strict=True))
        self.steps = int(average.steps)
        self.momentum = torch.zeros((), device=average.steps.device)
        self.on_device = average.steps.is_cuda
        self.at_once = average.update_buffers and isinstance(average, ExponentialMovingAverage) and average.interval == 1

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Nothing: the loop has called `advance` and `average`."""

    def advance(self, runner: Runner) -> str:
        """Prepare the average of this step.

        Returns:
            str: What `average` is to do; what a captured step does depends on it.
        """
        if not self._ema_started(runner):
            return "follow"
        if not self.at_once or self.steps == 0:
            self.steps += 1
            return "alone"
        momentum = self.ema_model.momentum
        if isinstance(self.ema_model, MomentumAnnealingEMA):
            momentum = max(momentum, self.ema_model.gamma / (self.ema_model.gamma + self.steps))
        self.now = momentum
        self.momentum.fill_(momentum)
        self.steps += 1
        return "together"

    @torch.no_grad()
    def average(self, runner: Runner, how: str) -> None:
        """Take the average as `advance` said. On a GPU the momentum is read there, and the host waits for nothing."""
        if how != "together":
            super().after_train_iter(runner, runner.iter)
            return
        if self.on_device:
            moves = torch._foreach_sub(self.weights, self.means)  # pyright: ignore[reportPrivateImportUsage]
            torch._foreach_mul_(moves, self.momentum)  # pyright: ignore[reportPrivateImportUsage]
            torch._foreach_add_(self.means, moves)  # pyright: ignore[reportPrivateImportUsage]
        else:
            torch._foreach_lerp_(self.means, self.weights, self.now)  # pyright: ignore[reportPrivateImportUsage]
        self.ema_model.steps += 1
