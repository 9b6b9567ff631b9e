"""Training of networks in turn, each with its own optimiser and loss, such as a generator and its discriminator."""

from functools import reduce
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from irsam_zoo.training.model import predictions
from irsam_zoo.zoo.neural import NeuralDetector


class AlternatingModel(BaseModel):
    """Trains a detector whose class names its ``parts``; they are the submodules.

    Arguments:
        detector (NeuralDetector): Its network has the parts as attributes, and it offers a `part_loss` for each.
    """

    def __init__(self, detector: NeuralDetector):
        super().__init__()
        self.detector = detector
        for part in detector.parts:
            self.add_module(part, getattr(detector.network, part))

    def forward(self, inputs: torch.Tensor, masks: torch.Tensor, mode: str = "tensor") -> Any:
        """What the detector's network returns for Bx1xhxw grey levels."""
        return self.detector.forward(self.detector.normalize(inputs.float()))

    def train_step(self, data: dict[str, torch.Tensor], optim_wrapper: OptimWrapperDict) -> dict[str, torch.Tensor]:
        """Update one part after the other, each with the others fixed and in evaluation mode.

        Arguments:
            data: ``inputs``, Bx1xhxw grey levels, and ``masks``, Bx1xhxw, 0 or 1.
            optim_wrapper (OptimWrapperDict): One optimiser for each part.

        Returns:
            dict[str, torch.Tensor]: The loss of each part, 0 for one that these squares do not train, and their sum as
            ``loss``.
        """
        data = self.data_preprocessor(data, True)
        images, masks = self.detector.normalize(data["inputs"].float()), data["masks"].float()
        losses = {part: self._update(part, images, masks, optim_wrapper[part]) for part in self.detector.parts}
        return {"loss": reduce(torch.add, losses.values()), **losses}

    def _update(self, part: str, images: torch.Tensor, masks: torch.Tensor, optimizer: OptimWrapper) -> torch.Tensor:
        # In a distributed run a submodule of self is wrapped, and the wrapper adds up gradients over processes; it is
        # called for the part that learns. The detector's own reference to the bare module serves the others.
        network, learner = self.detector.network, getattr(self, part)
        network.eval()
        learner.train()
        # Gradients may pass through the other parts, and none may be left in them for their own next step.
        network.requires_grad_(False)
        learner.requires_grad_(True)
        try:
            with optimizer.optim_context(learner):
                loss = self.detector.part_loss(part, learner, images, masks)
            if loss is None:
                return images.new_zeros(())
            optimizer.update_params(loss)
        finally:
            network.requires_grad_(True)
        return loss.detach()

    @torch.no_grad()
    def val_step(self, data: Any) -> list[dict[str, torch.Tensor]]:
        return predictions(self.detector, data, next(self.parameters()).device)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PartOptimWrapperConstructor:
    """Builds an `OptimWrapperDict` from a configuration for each submodule, by the submodule's name."""

    def __init__(self, optim_wrapper_cfg: dict[str, Any], paramwise_cfg: dict[str, Any] | None = None):
        self.configs = optim_wrapper_cfg
        self.paramwise = paramwise_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        model = getattr(model, "module", model)
        wrappers = {
            part: build_optim_wrapper(getattr(model, part), {**config, "paramwise_cfg": self.paramwise})
            for part, config in self.configs.items()
        }
        return OptimWrapperDict(**wrappers)
