"""The loop of a run: it begins at its place, and its step can be one graph."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

from mmengine.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop

from irsam_zoo.training.average import AverageHook
from irsam_zoo.training.step import Step

if TYPE_CHECKING:
    from irsam_zoo.training.data import PhasedBatches, SeededBatches


@LOOPS.register_module()
class StepTrainLoop(IterBasedTrainLoop):
    """Iterations on batches that know their place: a resumed run starts there, without reading what went before.

    Arguments:
        runner, dataloader, max_iters, val_interval: As of `mmengine.runner.IterBasedTrainLoop`.
        losses_every: Hooks are shown the losses of each so many-th iteration and of the last, and None at others: to read one,
            the host waits for a GPU.
        graphs: What captures the steps (`training.capture.CudaGraphs`), or None.
    """

    def __init__(self, runner, dataloader, max_iters, val_interval, losses_every=1, graphs=None):
        super().__init__(runner, dataloader, max_iters, val_interval=val_interval)
        self.losses_every, self.graphs = losses_every, graphs

    def run(self):
        cast("SeededBatches | PhasedBatches", self.dataloader.batch_sampler).first = self._iter
        # The base class made an iterator before it knew where to start; this one replaces it.
        self.dataloader_iterator = iter(self.dataloader)
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        self.averages = [hook for hook in self.runner.hooks if isinstance(hook, AverageHook)]
        with self.graphs or nullcontext():
            self.step = Step(self.runner.model, self.runner.optim_wrapper, average=self._average, graphs=self.graphs)
            while self._iter < self._max_iters and not self.stop_training:
                self.runner.model.train()
                self.run_iter(next(self.dataloader_iterator))
                if self.runner.val_loop is not None and (self._iter % self.val_interval == 0 or self._iter == self._max_iters):
                    self.runner.val_loop.run()
        self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, data_batch: Any) -> None:
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        self.ways = tuple(hook.advance(self.runner) for hook in self.averages)
        warming_up = getattr(self.runner.bare_model.detector, "warming_up", None)
        losses = self.step(data_batch, (self.ways, warming_up))
        if (self._iter + 1) % self.losses_every and self._iter + 1 < self._max_iters:
            losses = None
        self.runner.call_hook("after_train_iter", batch_idx=self._iter, data_batch=data_batch, outputs=losses)
        self._iter += 1

    def _average(self):
        for hook, way in zip(self.averages, self.ways, strict=True):
            hook.average(self.runner, way)
