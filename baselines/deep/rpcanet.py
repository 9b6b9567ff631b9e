"""RPCANet: robust principal component analysis unfolded into stages of small networks."""

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.blocks import init_xavier_normal
from irsam_zoo.baselines.deep.parts.unfolding import LAYERS, Merge, Sparse, UnfoldedDetector, conv_chain
from irsam_zoo.zoo import METHODS, MethodCard


class LowRank(nn.Module):
    """The background of an image less its targets."""

    def __init__(self):
        super().__init__()
        self.convs = conv_chain(LAYERS, norm=True)

    def forward(self, image, target):
        x = image - target
        return x + self.convs(x)


class Stage(nn.Module):
    """One unfolded iteration; each part takes what the one before has just made."""

    def __init__(self):
        super().__init__()
        self.lowrank, self.sparse, self.merge = LowRank(), Sparse(), Merge()

    def forward(self, image, target):
        background = self.lowrank(image, target)
        target = self.sparse(image, background, target)
        return self.merge(background, target), target


class RPCANet(nn.Module):
    """RPCANet (Wu et al., WACV 2024), fengyiwu98/RPCANet, models/deepunfolding.py, class RPCANet9.

    Arguments:
        stages: Iterations, each with weights of its own.
    """

    def __init__(self, stages=6):
        super().__init__()
        self.decos = nn.ModuleList(Stage() for _ in range(stages))
        init_xavier_normal(self)

    def forward(self, x):
        """Bx1xHxW image of any size to the restored image and the target's logits, Bx1xHxW each."""
        image, target = x, torch.zeros_like(x)
        for stage in self.decos:
            image, target = stage(image, target)
        return image, target


@METHODS.register_module("rpcanet")
class RPCANetDetector(UnfoldedDetector):
    """RPCANet; the arguments are those of `UnfoldedDetector`."""

    card = MethodCard(
        title="RPCANet",
        authors="Wu et al.",
        year=2024,
        venue="WACV",
        url="https://github.com/fengyiwu98/RPCANet",
        family="deep",
        fidelity="author-code",
        notes=(
            "679,896 parameters in six stages. The network of the WACV release and that of the present repository are equal; "
            "the restored image weighs 0.1 in the loss of the first, 0.01 in that of the second, which is the default here.",
            "The authors cut each image's probabilities at half of their maximum, which finds a target in every image: that is "
            "--threshold 'max_prob(0.5)'; the default is to cut the logit at 0.",
            "Their Pd counts a target that any pixel touches, and their Fa, every wrong pixel over those of the background, is "
            "printed in 1e-5; neither is comparable with the metrics here.",
        ),
    )

    def build_network(self) -> nn.Module:
        return RPCANet(self.stages)
