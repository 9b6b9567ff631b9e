"""RPCANet: robust principal component analysis unfolded into stages of small networks."""

import cv2
import torch
from torch import nn
from torch.nn.functional import interpolate, mse_loss

from irsam_zoo.baselines.deep.parts.blocks import init_xavier_normal
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import NeuralDetector

CHANNELS = 32  # models/deepunfolding.py: channel
LAYERS, SPARSE_LAYERS = 3, 6  # llayers and mlayers, slayers


def conv_chain(layers, *, norm):
    """Bx1xHxW to Bx1xHxW: 3x3 convolutions, each but the last with a ReLU and, before it, a batch norm if `norm` says so."""
    chain = []
    for channels in [1] + [CHANNELS] * layers:
        chain += [nn.Conv2d(channels, CHANNELS, 3, padding=1), *[nn.BatchNorm2d(CHANNELS)] * norm, nn.ReLU(inplace=True)]
    return nn.Sequential(*chain, nn.Conv2d(CHANNELS, 1, 3, padding=1))


class LowRank(nn.Module):
    """The background of an image less its targets."""

    def __init__(self):
        super().__init__()
        self.convs = conv_chain(LAYERS, norm=True)

    def forward(self, image, target):
        x = image - target
        return x + self.convs(x)


class Sparse(nn.Module):
    """The targets: a step of learned size against a learned gradient."""

    def __init__(self):
        super().__init__()
        self.epsilon = nn.Parameter(torch.tensor([0.01]))
        self.convs = conv_chain(SPARSE_LAYERS, norm=False)

    def forward(self, image, background, target):
        x = target + image - background
        return x - self.epsilon * self.convs(x)


class Merge(nn.Module):
    """The image restored from background and targets."""

    def __init__(self):
        super().__init__()
        self.mapping = conv_chain(LAYERS, norm=True)

    def forward(self, background, target):
        return self.mapping(background + target)


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


class UnfoldedDetector(NeuralDetector):
    """What the authors' programs share between RPCANet and RPCANet++: the way in and the loss.

    Arguments:
        stages: Iterations of the network.
        restoration_weight: Of the squared error between the restored image and the input.
        kwargs: Options of `NeuralDetector`.
    """

    default_input_size = 256  # author's code: base_size
    divisor = 1
    in_channels = 1
    mean, std = (0.0,), (255.0,)

    def __init__(self, *, stages=6, restoration_weight=0.01, **kwargs):
        self.stages, self.restoration_weight = stages, restoration_weight
        super().__init__(**kwargs)

    def at_input_size(self, image, label):
        if self.input_size is None:
            return image, label
        size = (self.input_size, self.input_size)
        return cv2.resize(image, size), cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)

    def _resize(self, images):
        # The authors resize with OpenCV, which takes the four nearest pixels at any scale.
        return interpolate(images, (self.input_size, self.input_size), mode="bilinear", align_corners=False)

    def forward(self, inputs):
        """The network's outputs, and the image that the restored one is compared with."""
        return *self.network(inputs), inputs

    def logits(self, outputs):
        return outputs[1]

    def loss(self, outputs, masks):
        restored, target, image = outputs
        return {
            "soft_iou": soft_iou_loss(target, masks, per_sample=True),
            "restoration": self.restoration_weight * mse_loss(restored, image),
        }


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

    def build_network(self):
        return RPCANet(self.stages)
