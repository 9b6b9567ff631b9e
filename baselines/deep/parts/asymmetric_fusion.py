"""Residual encoder and asymmetric modulation of ACMNet, which ALCNet and AGPCNet share."""

from torch import nn

from irsam_zoo.baselines.deep.parts.blocks import channel_attention, res_stage

STEM, LOW, MIDDLE, HIGH = 8, 16, 32, 64  # open-acm, train_dentist.py: channels
BASICIRSTD_KEYS = (  # BasicIRSTD names the layers of a residual block that the others number
    (r"(layer\d\.\d+)\.conv1\.", r"\1.body.0."),
    (r"(layer\d\.\d+)\.bn1\.", r"\1.body.1."),
    (r"(layer\d\.\d+)\.conv2\.", r"\1.body.3."),
    (r"(layer\d\.\d+)\.bn2\.", r"\1.body.4."),
)


class AsymmetricFusion(nn.Module):
    """Asymmetric contextual modulation (paper, section 3.3).

    The deep map weighs the channels of the shallow one as a whole; the shallow map those of the deep one at each pixel.

    Arguments:
        channels: Of the shallow map and the result.
        high_channels: Of the deep map, which a 1x1 convolution then brings to `channels`; None leaves that convolution out.
    """

    def __init__(self, channels, high_channels=None):
        super().__init__()
        self.feature_high = nn.Identity()
        if high_channels is not None:
            self.feature_high = nn.Sequential(nn.Conv2d(high_channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU(True))
        self.topdown = channel_attention(channels, pooled=True)
        self.bottomup = channel_attention(channels, pooled=False)
        self.post = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1), nn.BatchNorm2d(channels), nn.ReLU(True))

    def forward(self, high, low):
        """BxC'xHxW deep and BxCxHxW shallow map, of one size, to BxCxHxW."""
        high = self.feature_high(high)
        return self.post(2 * low * self.topdown(high) + 2 * high * self.bottomup(low))


def full_size_stem(in_channels):
    """BxCxHxW to Bx16xHxW: the stem that open-acm calls tiny, also ALCNet's. The first norm normalises the input."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, LOW, 3, 1, 1, bias=False), nn.BatchNorm2d(LOW), nn.ReLU(True)
    )


def quarter_size_stem(in_channels):
    """BxCxHxW to Bx16x(H/4)x(W/4)."""
    layers = [nn.BatchNorm2d(in_channels)]
    for channels, out_channels, stride in ((in_channels, STEM, 2), (STEM, STEM, 1), (STEM, LOW, 1)):
        layers += [nn.Conv2d(channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.MaxPool2d(3, 2, 1))


class ResEncoder(nn.Module):
    """Stem and three residual stages of 16, 32 and 64 channels at 1, 1/2 and 1/4 of the stem's size.

    Arguments:
        in_channels: Of the image.
        blocks: Residual blocks in each stage.
        tiny: The stem keeps the image's size; otherwise it reduces it to a quarter.
    """

    def __init__(self, *, in_channels=3, blocks=4, tiny=True):
        super().__init__()
        self.stem = (full_size_stem if tiny else quarter_size_stem)(in_channels)
        self.layer1 = res_stage(blocks, LOW, LOW)
        self.layer2 = res_stage(blocks, LOW, MIDDLE, 2)
        self.layer3 = res_stage(blocks, MIDDLE, HIGH, 2)

    def encode(self, x):
        """BxCxHxW image to the three stages' maps, the largest first."""
        low = self.layer1(self.stem(x))
        middle = self.layer2(low)
        return low, middle, self.layer3(middle)
