"""HDNet: MSHNet with multi-scale contrast blocks, and a second branch that high-pass filters the image by its side outputs."""

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.attention import ChannelAttention, ResidualAttentionBlock, SpatialAttention
from irsam_zoo.baselines.deep.parts.resizing import resample
from irsam_zoo.baselines.deep.parts.scale_location import SideOutputDetector
from irsam_zoo.baselines.deep.parts.side_output_unet import MSHNet
from irsam_zoo.zoo import METHODS, MethodCard

# Of the four filters in turn, the share of the energy that the blocked low frequencies hold; author's code.
ENERGIES = (0.8, 0.4, 0.2, 0.1)
FALLBACK = 5  # author's code: half side of the blocked window where no window below half of the image holds the energy


def depthwise(channels, *, dilation=1):
    """3x3 convolution of each channel by itself, with bias."""
    return nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels)


class ContrastBlock(nn.Module):
    """Multiatrous contrast convolution (MAC): four groups of channels, all but the first through depth-wise 3x3 kernels.

    The kernels begin as differences to the ring around a pixel and as a mean, and learn.

    Arguments:
        in_channels: Of the input.
        out_channels: Of the output, a multiple of 4.
    """

    def __init__(self, in_channels, out_channels):
        super().__init__()
        part = out_channels // 4
        self.inconv = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))
        self.conv1 = nn.Sequential(depthwise(part), nn.BatchNorm2d(part), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(depthwise(part, dilation=2), nn.BatchNorm2d(part), nn.ReLU(inplace=True))
        self.conv3 = nn.Sequential(depthwise(part))
        self.conv4 = nn.Sequential(depthwise(part, dilation=2))
        self.conv5 = nn.Sequential(nn.BatchNorm2d(part), nn.ReLU(inplace=True))
        self.outconv = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)
        )
        # The author's block builds these and never calls them.
        self.ca = ChannelAttention(out_channels)
        self.sa = SpatialAttention(7)
        kernels = {"conv1": (1, -1 / 8), "conv2": (1, -1 / 8), "conv3": (1 / 9, 1 / 9), "conv4": (0, -1 / 8)}
        for name, (centre, ring) in kernels.items():
            weight = self.get_parameter(f"{name}.0.weight")
            nn.init.constant_(weight, ring)
            nn.init.constant_(weight[..., 1, 1], centre)

    def forward(self, x):
        """BxCxHxW to BxC'xHxW."""
        x = self.inconv(x)
        first, second, third, fourth = x.chunk(4, 1)
        second = self.conv1(second)
        third = self.conv2(third + second)
        fourth = fourth + third
        fourth = self.conv5(self.conv3(fourth) + self.conv4(fourth))
        return (self.outconv(torch.cat((first, second, third, fourth), 1)) + x).relu()


def high_pass(x, energy):
    """Take the low frequencies out of each map, and the sign out of what is left.

    The blocked window of the spectrum, rows and columns -c to c - 1 around zero frequency, has the least c whose window holds
    the share of the energy, below half of the shorter side.

    Arguments:
        x: Bx1xHxW.
        energy: Share, 0..1.

    Returns:
        torch.Tensor: Bx1xHxW, at least 0.
    """
    height, width = x.shape[2:]
    # Half precision has transforms for few sizes, and too little range for energies.
    spectrum = torch.fft.fft2(x if x.dtype == torch.float64 else x.float())
    rows, columns = (_half_sides(side, x.device) for side in (height, width))
    half_sides = torch.maximum(rows[:, None], columns)
    powers = spectrum.detach().abs().double().square().flatten(1)
    of_rings = powers.new_zeros(len(x), max(height, width) // 2 + 2).index_add_(1, half_sides.flatten(), powers)
    inside = of_rings.cumsum(1)[:, 1 : min(height, width) // 2]
    enough = inside >= energy * powers.sum(1, keepdim=True)
    cutoff = torch.where(enough.any(1), enough.int().argmax(1) + 1, FALLBACK)
    return torch.fft.ifft2(spectrum * (half_sides > cutoff.view(-1, 1, 1, 1))).abs()


def _half_sides(side, device):
    """The least c for which -c to c - 1 holds each frequency of a side, in the order of the transform."""
    frequencies = torch.arange(side, device=device)
    frequencies = torch.where(frequencies < (side + 1) // 2, frequencies, frequencies - side)
    return torch.where(frequencies < 0, -frequencies, frequencies + 1)


class HDNet(MSHNet):
    """HDNet (Xu et al., IEEE TGRS 2025), iLearn-Lab/TGRS25-HDNet, model/HDNet.py.

    Arguments:
        in_channels: 3 as released, or 1.
    """

    def __init__(self, in_channels=3):
        super().__init__(in_channels, first_block=ContrastBlock)
        self.py_init = nn.Sequential(ResidualAttentionBlock(in_channels, 1))

    def frequency_gate(self, x, sides):
        """BxCxHxW image and its side outputs to Bx1xHxW weights from 1/2 to 1, the high frequencies around targets."""
        gate = self.py_init(x)
        for level, energy in zip(range(3, -1, -1), ENERGIES, strict=True):
            side = sides[level] if level == 0 else resample(sides[level], 2**level)
            gate = high_pass(gate * side.sigmoid() + gate, energy)
        return gate.sigmoid()

    def forward(self, x, warm_flag=True):
        """As of `MSHNet`; the prediction is the fused map times one plus the weights of the frequency branch."""
        sides, fused = super().forward(x, warm_flag)
        return sides, fused * self.frequency_gate(x, sides) + fused if warm_flag else fused


@METHODS.register_module("hdnet")
class HDNetDetector(SideOutputDetector):
    """HDNet with an SLS loss that weighs images by their target area.

    Arguments:
        kwargs: Options of `SideOutputDetector`.
    """

    card = MethodCard(
        title="HDNet",
        authors="Xu et al.",
        year=2025,
        venue="IEEE TGRS",
        url="https://github.com/iLearn-Lab/TGRS25-HDNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "3,676,197 parameters, of which 11,402 belong to attention that the author's contrast blocks build and never call; "
            "they are kept so that checkpoints load.",
            "Where no window of low frequencies holds the wanted energy, the author's code blocks one of 10 px, whatever the "
            "size of the image; kept.",
            "FLOPs do not count the Fourier transforms.",
            "The best epoch is chosen on the test list there; here the last one counts.",
        ),
    )
    default_input_size = 256  # author's code: test images are resized to 256 x 256
    warm_up = 6 / 800  # author's code: epochs 0 to 5 of 800
    by_area = True

    def build_network(self) -> nn.Module:
        return HDNet()
