"""The U-Net of residual attention blocks with a head at each of four scales: MSHNet, of which HDNet is made."""

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.attention import ResidualAttentionBlock
from irsam_zoo.baselines.deep.parts.resizing import resample

WIDTHS = (16, 32, 64, 128, 256)  # author's code: channels of each level, the full size first


class MSHNet(nn.Module):
    """MSHNet (Liu et al., CVPR 2024), Lliu666/MSHNet, model/MSHNet.py.

    Arguments:
        in_channels: 3 as released, or 1.
        first_block: Class of the first block of each encoder level, called with the channels in and out.
    """

    middle_layer: nn.Sequential

    def __init__(self, in_channels: int = 3, *, first_block: type[nn.Module] = ResidualAttentionBlock):
        super().__init__()
        self.conv_init = nn.Conv2d(in_channels, WIDTHS[0], 1)
        self.encoder_0 = nn.Sequential(first_block(WIDTHS[0], WIDTHS[0]))
        for level, name in enumerate(("encoder_1", "encoder_2", "encoder_3", "middle_layer"), 1):
            width = WIDTHS[level]
            self.add_module(name, nn.Sequential(first_block(WIDTHS[level - 1], width), ResidualAttentionBlock(width, width)))
        for level in range(3, -1, -1):
            width = WIDTHS[level]
            blocks = [ResidualAttentionBlock(width + WIDTHS[level + 1], width)]
            if level:
                blocks.append(ResidualAttentionBlock(width, width))
            self.add_module(f"decoder_{level}", nn.Sequential(*blocks))
            self.add_module(f"output_{level}", nn.Conv2d(width, 1, 1))
        self.final = nn.Conv2d(4, 1, 3, padding=1)
        self.pool = nn.MaxPool2d(2)

    def side_outputs(self, x):
        """BxCxHxW, H and W multiples of 16, to four Bx1xhxw logit maps at 1, 1/2, 1/4 and 1/8 of the size."""
        skips = [self.encoder_0(self.conv_init(x))]
        for level in range(1, 4):
            skips.append(self.get_submodule(f"encoder_{level}")(self.pool(skips[-1])))
        x = self.middle_layer(self.pool(skips[-1]))
        sides = []
        for level in range(3, -1, -1):
            x = self.get_submodule(f"decoder_{level}")(torch.cat((skips[level], resample(x, 2)), 1))
            sides.insert(0, self.get_submodule(f"output_{level}")(x))
        return sides

    def fused(self, sides):
        """Side outputs to one Bx1xHxW logit map."""
        return self.final(torch.cat([sides[0], *(resample(side, 2**level) for level, side in enumerate(sides[1:], 1))], 1))

    def forward(self, x, warm_flag=True):
        """Side outputs and prediction.

        Arguments:
            x (torch.Tensor): BxCxHxW, H and W multiples of 16.
            warm_flag: False in the warm-up of a training run, as in the author's code.

        Returns:
            tuple[list[torch.Tensor], torch.Tensor]: Four logit maps from fine to coarse and the Bx1xHxW prediction; in the
            warm-up, no maps and the finest.
        """
        sides = self.side_outputs(x)
        return (sides, self.fused(sides)) if warm_flag else ([], sides[0])
