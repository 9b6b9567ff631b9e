"""RPCANet++: RPCANet with a memory from stage to stage and a contrast prior for the targets."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn.functional import conv2d

from irsam_zoo.baselines.deep.parts.blocks import channel_attention, init_xavier_normal
from irsam_zoo.baselines.deep.parts.unfolding import CHANNELS, Merge, Sparse, UnfoldedDetector
from irsam_zoo.zoo import METHODS, MethodCard


def conv3x3():
    """3x3 convolution that keeps size and width."""
    return nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)


class ResidualBlock(nn.Module):
    """Two convolutions added to their input, which no activation follows."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv3x3(), conv3x3()

    def forward(self, x):
        return x + self.conv2(self.conv1(x).relu_())


class ConvLSTM(nn.Module):
    """A convolutional LSTM cell; in the first stage, which has no state, without forget gate and without the last tanh."""

    conv_xf: nn.Conv2d
    conv_xi: nn.Conv2d
    conv_xo: nn.Conv2d
    conv_xj: nn.Conv2d
    conv_hf: nn.Conv2d
    conv_hi: nn.Conv2d
    conv_ho: nn.Conv2d
    conv_hj: nn.Conv2d

    def __init__(self):
        super().__init__()
        for name in ("xf", "xi", "xo", "xj", "hf", "hi", "ho", "hj"):
            self.add_module(f"conv_{name}", conv3x3())

    def forward(self, x, state):
        """Bx32xHxW, and the pair of hidden and cell state of that shape or None, to a new such pair."""
        if state is None:
            cell = self.conv_xi(x).sigmoid() * self.conv_xj(x).tanh()
            return self.conv_xo(x).sigmoid() * cell, cell
        hidden, cell = state
        forget = (self.conv_xf(x) + self.conv_hf(hidden)).sigmoid()
        entry = (self.conv_xi(x) + self.conv_hi(hidden)).sigmoid()
        out = (self.conv_xo(x) + self.conv_ho(hidden)).sigmoid()
        cell = forget * cell + entry * (self.conv_xj(x) + self.conv_hj(hidden)).tanh()
        return out * cell.tanh(), cell


class MemoryLowRank(nn.Module):
    """The background of an image less its targets, by way of the memory."""

    def __init__(self):
        super().__init__()
        self.conv1_C = nn.Sequential(nn.Conv2d(1, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS), nn.ReLU(inplace=True))
        self.RB_1, self.RB_2 = ResidualBlock(), ResidualBlock()
        self.convC_1 = nn.Conv2d(CHANNELS, 1, 3, padding=1)
        self.ConvLSTM = ConvLSTM()

    def forward(self, image, target, state):
        x = image - target
        state = self.ConvLSTM(self.RB_1(self.conv1_C(x)), state)
        return x + self.convC_1(self.RB_2(state[0])), state


class CentralDifference(nn.Module):
    """The gated sum of a kernel's 17x17 taps at the centre less its convolution, which alone sees zeros around the image."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS, CHANNELS, 17, padding=8, bias=False)
        self.attn = nn.Sequential(OrderedDict(avg_channel=channel_attention(CHANNELS, pooled=True)))

    def forward(self, x):
        taps = self.conv.weight.sum((2, 3), keepdim=True)
        return self.attn(x) * conv2d(x, taps) - self.conv(x)


class ContrastSparse(Sparse):
    """The targets; the learned gradient sees their contrast as well."""

    def __init__(self):
        super().__init__()
        self.contrast = nn.Sequential(
            nn.Conv2d(1, CHANNELS, 3, padding=1),
            nn.ReLU(inplace=True),
            CentralDifference(),
            nn.BatchNorm2d(CHANNELS),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(CHANNELS, 1, 3, padding=1),
        )

    def forward(self, image, background, target):
        x = target + image - background
        return x - self.epsilon * self.convs(x + self.contrast(x))


class MemoryStage(nn.Module):
    """One unfolded iteration; each part takes what the one before has just made."""

    def __init__(self):
        super().__init__()
        self.lowrank, self.sparse, self.merge = MemoryLowRank(), ContrastSparse(), Merge()

    def forward(self, image, target, state):
        background, state = self.lowrank(image, target, state)
        target = self.sparse(image, background, target)
        return self.merge(background, target), target, state


class RPCANetPP(nn.Module):
    """RPCANet++ (Wu et al., arXiv 2508.04190), fengyiwu98/RPCANet, models/deepunfolding.py, class RPCANet_LSTM.

    Arguments:
        stages: Iterations, each with weights of its own: 3, 6 or 9 in the paper.
    """

    def __init__(self, stages=6):
        super().__init__()
        self.decos = nn.ModuleList(MemoryStage() for _ in range(stages))
        init_xavier_normal(self)

    def forward(self, x):
        """Bx1xHxW image of any size to the restored image and the target's logits, Bx1xHxW each."""
        image, target, state = x, torch.zeros_like(x), None
        for stage in self.decos:
            image, target, state = stage(image, target, state)
        return image, target


@METHODS.register_module("rpcanet_pp")
class RPCANetPPDetector(UnfoldedDetector):
    """RPCANet++; the arguments are those of `UnfoldedDetector`."""

    card = MethodCard(
        title="RPCANet++",
        authors="Wu et al.",
        year=2025,
        venue="arXiv",
        url="https://github.com/fengyiwu98/RPCANet",
        family="deep",
        fidelity="author-code",
        notes=(
            "2,961,582 parameters in six stages; rpcanet_pp_s3 and rpcanet_pp_s9 have three and nine. In each, 46,240 of the "
            "first stage's memory are never used: kept so that checkpoints load, and left out of the published counts.",
            "The authors cut each image's probabilities at half of their maximum, which finds a target in every image: that is "
            "--threshold 'max_prob(0.5)'; the default is to cut the logit at 0.",
            "Their Pd counts a target that any pixel touches, and their Fa, every wrong pixel over those of the background, is "
            "printed in 1e-5; neither is comparable with the metrics here.",
        ),
    )

    def build_network(self) -> nn.Module:
        return RPCANetPP(self.stages)
