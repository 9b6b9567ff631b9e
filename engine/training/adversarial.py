"""MDvsFA's training: two generators and a discriminator, each with its own optimiser."""

import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS

from baselines.deep.mdvsfa import discriminator_input, discriminator_loss, generator_losses
from engine.training.model import predictions

GENERATORS = ("generator1", "generator2")
PARTS = ("discriminator", *GENERATORS)


class AdversarialModel(BaseModel):
    """Trains an `MDvsFA` detector; the three networks are the submodules.

    Arguments:
        detector (MDvsFA): Holds the networks.
    """

    def __init__(self, detector):
        super().__init__()
        self.detector = detector
        for part in PARTS:
            self.add_module(part, getattr(detector.network, part))

    def forward(self, inputs, masks, mode="tensor"):
        """The generators' Bx1xhxw maps of Bx1xhxw grey levels."""
        return self.detector.forward(self.detector.normalize(inputs.float()))

    def train_step(self, data, optim_wrapper):
        """Update the discriminator, then the first generator, then the second, each with the others in evaluation mode.

        Source: wanghuanphd/MDvsFA_cGAN, demo_MDvsFA_pytorch.py.

        Arguments:
            data: ``inputs``, Bx1x128x128 grey levels, and ``masks``, Bx1x128x128, 0 or 1.
            optim_wrapper (OptimWrapperDict): One optimiser for each of `PARTS`.

        Returns:
            dict[str, torch.Tensor]: The three losses, and their sum as ``loss``.
        """
        data = self.data_preprocessor(data, True)
        images, masks = self.detector.normalize(data["inputs"].float()), data["masks"].float()
        losses = {"discriminator": self._update_discriminator(images, masks, optim_wrapper["discriminator"])}
        for number, part in enumerate(GENERATORS):
            losses[part] = self._update_generator(number, images, masks, optim_wrapper[part])
        return {"loss": sum(losses.values()), **losses}

    def _update_discriminator(self, images, masks, optimizer):
        # In a distributed run a submodule of self is wrapped, and the wrapper adds up gradients over processes; it is
        # called for the part that learns. The detector's own reference to the bare module serves the others.
        network = self.detector.network
        network.eval()
        network.discriminator.train()
        with optimizer.optim_context(self.discriminator):
            with torch.no_grad():
                maps = network(images)
            loss = discriminator_loss(self.discriminator(discriminator_input(images, masks, maps)))
        optimizer.update_params(loss)
        return loss.detach()

    def _update_generator(self, number, images, masks, optimizer):
        network, learner = self.detector.network, getattr(self, GENERATORS[number])
        network.eval()
        learner.train()
        # Gradients pass through the discriminator, and none may be left in it for its own next step.
        network.discriminator.requires_grad_(False)
        with optimizer.optim_context(learner):
            with torch.no_grad():
                other = getattr(network, GENERATORS[1 - number])(images)
            maps = (learner(images), other) if number == 0 else (other, learner(images))
            verdicts = network.discriminator(discriminator_input(images, masks, maps))
            loss = generator_losses(maps, masks, verdicts)[number]
        optimizer.update_params(loss)
        network.discriminator.requires_grad_(True)
        return loss.detach()

    @torch.no_grad()
    def val_step(self, data):
        return predictions(self.detector, data, next(self.parameters()).device)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PartOptimWrapperConstructor:
    """Builds an `OptimWrapperDict` from a configuration for each submodule, by the submodule's name."""

    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        self.configs = optim_wrapper_cfg
        self.paramwise = paramwise_cfg

    def __call__(self, model):
        model = getattr(model, "module", model)
        wrappers = {
            part: build_optim_wrapper(getattr(model, part), {**config, "paramwise_cfg": self.paramwise})
            for part, config in self.configs.items()
        }
        return OptimWrapperDict(**wrappers)
