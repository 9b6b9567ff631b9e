"""How an optimiser takes a step: in which precision, and at a rate that a captured step can read."""

import inspect
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS

GRAPH_OPTIONS = ("capturable", "fused")  # of torch's optimisers, where they have them


@OPTIM_WRAPPERS.register_module()
class StepOptimWrapper(OptimWrapper):
    """mmengine's wrapper, in bfloat16 where that is asked for and torch holds it safe.

    bfloat16 has float32's range: no sum over an image overflows, and no gradient has to be scaled. mmengine's own wrapper
    scales, and works on GPUs alone; a CPU that multiplies bfloat16 takes half the time as well.

    On CUDA each group's learning rate is a tensor while the optimiser works and a number at all other times: a captured step
    reads it where `show_rates` put it, and schedulers and saved states know numbers.

    Arguments:
        device: ``"cpu"`` or ``"cuda"``.
        half: Whether the network runs in bfloat16.
        clip: Largest norm of all gradients together; a longer one is shortened. None for no bound.
        kwargs: Those of `mmengine.optim.OptimWrapper`.
    """

    def __init__(self, *, device, half, clip=None, **kwargs):
        super().__init__(**kwargs)
        self.device, self.half, self.clip = device, half, clip
        groups = self.optimizer.param_groups if device == "cuda" else ()
        self.rates = [torch.zeros((), device=device) for _ in groups]

    @contextmanager
    def optim_context(self, model):
        with super().optim_context(model), torch.autocast(self.device, torch.bfloat16) if self.half else nullcontext():
            yield

    def show_rates(self):
        """Bring the learning rates to where the next step reads them."""
        for tensor, group in zip(self.rates, self.optimizer.param_groups, strict=False):
            tensor.fill_(group["lr"])

    def step(self, **kwargs):
        if self.clip is not None:  # mmengine's own clipping reads the norm on the host
            parameters = (parameter for group in self.optimizer.param_groups for parameter in group["params"])
            torch.nn.utils.clip_grad_norm_(parameters, self.clip)
        groups = self.optimizer.param_groups[: len(self.rates)]
        numbers = [group["lr"] for group in groups]
        try:
            for group, tensor in zip(groups, self.rates, strict=True):
                group["lr"] = tensor
            super().step(**kwargs)
        finally:
            for group, number in zip(groups, numbers, strict=True):
                group["lr"] = number


def graph_options(optimizer: dict[str, Any], device: str) -> dict[str, Any]:
    """A configuration of an optimiser, on CUDA with whatever of `GRAPH_OPTIONS` its class has and it does not set."""
    if device != "cuda":
        return optimizer
    cls = OPTIMIZERS.get(optimizer["type"])
    known = inspect.signature(cls).parameters if cls is not None else ()
    return {name: True for name in GRAPH_OPTIONS if name in known} | optimizer


def can_be_captured(wrapper: OptimWrapper) -> bool:
    """Whether an optimiser's step holds no work for the host, by its own word."""
    return all(group.get("capturable", False) for group in wrapper.optimizer.param_groups)
