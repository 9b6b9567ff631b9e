"""DNANet: densely nested U-Net with channel and spatial attention in every block."""

from typing import Any

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.attention import ResidualAttentionBlock
from irsam_zoo.baselines.deep.parts.losses import deep_supervision, soft_iou_loss
from irsam_zoo.baselines.deep.parts.resizing import resample
from irsam_zoo.zoo import METHODS, MethodCard
from irsam_zoo.zoo.neural import IMAGENET_MEAN, IMAGENET_STD, NeuralDetector


class DNANet(nn.Module):
    """DNANet (Li et al., IEEE TIP 2023), YeRen123455/Infrared-Small-Target-Detection, model/model_DNANet.py.

    Node (i, j) of the nest is row i (resolution 1/2^i), column j. Deep supervision is on.

    Arguments:
        in_channels: 3 as released, or 1.
        widths: Channels of each row; the default is the repository's channel size "three".
        blocks: Blocks a node in rows 1 to 4, "resnet_18" there. Row 0 has one.
    """

    def __init__(self, in_channels=3, widths=(16, 32, 64, 128, 256), blocks=(2, 2, 2, 2)):
        super().__init__()
        self.rows = len(widths)
        for column in range(self.rows):
            for row in range(self.rows - column):
                if column:
                    width = column * widths[row] + widths[row + 1] + (widths[row - 1] if row else 0)
                else:
                    width = widths[row - 1] if row else in_channels
                self.add_module(f"conv{row}_{column}", self._node(width, widths[row], blocks[row - 1] if row else 1))
        for row in range(1, self.rows):
            self.add_module(f"conv0_{row}_1x1", nn.Conv2d(widths[row], widths[0], 1))
            self.add_module(f"final{row}", nn.Conv2d(widths[0], 1, 1))
        self.conv0_4_final = self._node(self.rows * widths[0], widths[0], 1)
        self.pool = nn.MaxPool2d(2)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)  # train.py, weights_init_xavier

    @staticmethod
    def _node(in_channels, out_channels, blocks):
        return nn.Sequential(*(ResidualAttentionBlock(out_channels if i else in_channels, out_channels) for i in range(blocks)))

    def forward(self, x):
        """BxCxHxW, H and W multiples of 16, to four Bx1xHxW logit maps. The last is the prediction."""
        nodes = {}
        for column in range(self.rows):
            for row in range(self.rows - column):
                if column:
                    parts = [nodes[row, before] for before in range(column)] + [resample(nodes[row + 1, column - 1], 2)]
                    if row:
                        parts.append(resample(nodes[row - 1, column], 0.5))
                    x = torch.cat(parts, 1)
                elif row:
                    x = self.pool(nodes[row - 1, 0])
                nodes[row, column] = self.get_submodule(f"conv{row}_{column}")(x)

        last = self.rows - 1
        pyramid = [
            resample(self.get_submodule(f"conv0_{row}_1x1")(nodes[row, last - row]), 2**row) for row in range(last, 0, -1)
        ]
        fused = self.conv0_4_final(torch.cat((*pyramid, nodes[0, last]), 1))
        heads = [*(nodes[0, column] for column in range(1, last)), fused]
        return [self.get_submodule(f"final{number}")(head) for number, head in enumerate(heads, 1)]


@METHODS.register_module("dnanet")
class DNANetDetector(NeuralDetector):
    """DNANet with the ResNet-18 backbone and deep supervision.

    Arguments:
        in_channels: 3 as the authors train it, or 1.
        kwargs: Options of `NeuralDetector`.
    """

    card = MethodCard(
        title="DNANet",
        authors="Li et al.",
        year=2023,
        venue="IEEE TIP",
        url="https://github.com/YeRen123455/Infrared-Small-Target-Detection",
        family="deep",
        fidelity="author-code",
        notes=(
            "The authors' train.py steps its cosine schedule once, before the first epoch: their learning rate is constant.",
            "Their train.py keeps the last epoch with any overlap as its best: the best IoU is never carried over.",
        ),
    )
    default_input_size = 256  # author's code: base_size

    def __init__(self, *, in_channels: int = 3, **kwargs: Any):
        self.in_channels = in_channels
        self.mean, self.std = IMAGENET_MEAN[:in_channels], IMAGENET_STD[:in_channels]
        super().__init__(**kwargs)

    def build_network(self) -> nn.Module:
        return DNANet(self.in_channels)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[-1]

    def supervised(self, outputs: Any) -> list[torch.Tensor]:
        return outputs

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": deep_supervision(soft_iou_loss, outputs, masks)}
