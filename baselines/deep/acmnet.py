"""ACMNet: a residual U-Net or feature pyramid whose deep and shallow maps modulate each other's channels."""

from typing import Any

import torch
from torch import nn

from irsam_zoo.baselines.deep.parts.asymmetric_fusion import BASICIRSTD_KEYS, HIGH, LOW, MIDDLE, AsymmetricFusion, ResEncoder
from irsam_zoo.baselines.deep.parts.blocks import FCNHead, init_msra_prelu, init_normal, res_stage
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.resizing import resize
from irsam_zoo.zoo import METHODS, MethodCard, UsageError
from irsam_zoo.zoo.neural import NeuralDetector, probability_to_logit


class ACMUNet(ResEncoder):
    """U-Net with asymmetric modulation: ASKCResUNet of open-acm, acm-pytorch and BasicIRSTD.

    Arguments:
        in_channels, blocks, tiny: As in `ResEncoder`.
        reduce: The fusions have the extra 1x1 convolution on the deep map that acm-pytorch gives them, and the weights are
            drawn as there.
        align_corners: Of the last enlargement: True in MXNet, False in the ports.
        probabilities: Return sigmoid(logits), as BasicIRSTD does.
    """

    def __init__(self, *, in_channels=3, blocks=4, tiny=True, reduce=False, align_corners=True, probabilities=False):
        super().__init__(in_channels=in_channels, blocks=blocks, tiny=tiny)
        self.deconv2 = nn.ConvTranspose2d(HIGH, MIDDLE, 4, 2, 1)
        self.fuse2 = AsymmetricFusion(MIDDLE, MIDDLE if reduce else None)
        self.uplayer2 = res_stage(blocks, MIDDLE, MIDDLE)
        self.deconv1 = nn.ConvTranspose2d(MIDDLE, LOW, 4, 2, 1)
        self.fuse1 = AsymmetricFusion(LOW, LOW if reduce else None)
        self.uplayer1 = res_stage(blocks, LOW, LOW)
        self.head = FCNHead(LOW)
        self.align_corners = align_corners
        self.probabilities = probabilities
        (init_normal if reduce else init_msra_prelu)(self)

    def forward(self, x):
        """BxCxHxW image, H and W multiples of 4 (tiny) or 16, to Bx1xHxW logits or probabilities."""
        low, middle, high = self.encode(x)
        middle = self.uplayer2(self.fuse2(self.deconv2(high), middle))
        low = self.uplayer1(self.fuse1(self.deconv1(middle), low))
        logits = resize(self.head(low), x.shape[-2:], self.align_corners)
        return torch.sigmoid(logits) if self.probabilities else logits


class ACMFPN(ResEncoder):
    """Feature pyramid with asymmetric modulation: ASKCResNetFPN of acm-pytorch; its fusions always reduce the deep map.

    Arguments:
        in_channels, blocks, tiny: As in `ResEncoder`.
        align_corners: Of all enlargements: True in MXNet, False in acm-pytorch.
    """

    def __init__(self, *, in_channels=3, blocks=4, tiny=False, align_corners=False):
        super().__init__(in_channels=in_channels, blocks=blocks, tiny=tiny)
        self.fuse23 = AsymmetricFusion(MIDDLE, HIGH)
        self.fuse12 = AsymmetricFusion(LOW, MIDDLE)
        self.head = FCNHead(LOW)
        self.align_corners = align_corners
        init_normal(self)

    def forward(self, x):
        """BxCxHxW image of any size to Bx1xHxW logits."""
        low, middle, high = self.encode(x)
        middle = self.fuse23(resize(high, middle.shape[-2:], self.align_corners), middle)
        low = self.fuse12(resize(middle, low.shape[-2:], self.align_corners), low)
        return resize(self.head(low), x.shape[-2:], self.align_corners)


@METHODS.register_module("acmnet")
class ACMNet(NeuralDetector):
    """ACMNet; the default is the configuration of the checkpoint that its author released.

    Arguments:
        decoder: ``"unet"`` or ``"fpn"``.
        in_channels, blocks, tiny, align_corners: As in `ACMUNet`.
        reduce, probabilities: As in `ACMUNet`; a U-Net's alone.
        per_sample_loss: Mean of each image's soft IoU, as in acm-pytorch, rather than sums over the batch, as in open-acm.
    """

    card = MethodCard(
        title="ACMNet",
        authors="Dai et al.",
        year=2021,
        venue="WACV",
        url="https://github.com/YimianDai/open-acm",
        family="deep",
        fidelity="author-code",
        notes=(
            "The released network is a residual U-Net, four blocks a stage, full-size stem: 516,875 parameters.",
            "The author's code is MXNet; outputs equal a line-by-line PyTorch transcription of it, into which the released "
            ".params file loads with nothing missing or left over.",
            "MXNet holds the scale and shift of the input's norm at 1 and 0; here they train like any other.",
            "The author's training script builds a learning-rate schedule for AdaGrad and never uses it.",
            "acm-pytorch's U-Net adds a 1x1 convolution to each fusion and BasicIRSTD's has three blocks a stage: see the "
            "configurations acmnet_pytorch and acmnet_1ch.",
        ),
    )
    default_input_size = 512  # open-acm, train_dentist.py: base-size, to which test images are resized
    convert_rules = BASICIRSTD_KEYS

    def __init__(
        self,
        *,
        decoder: str = "unet",
        in_channels: int = 3,
        blocks: int = 4,
        tiny: bool = True,
        reduce: bool = False,
        align_corners: bool = True,
        probabilities: bool = False,
        per_sample_loss: bool = False,
        **kwargs: Any,
    ):
        if decoder not in ("unet", "fpn"):
            raise UsageError(f"decoder {decoder!r} of acmnet is neither 'unet' nor 'fpn'")
        if decoder == "fpn" and (reduce or probabilities):
            raise UsageError("reduce and probabilities of acmnet belong to decoder='unet'")
        self.decoder = decoder
        self.in_channels = in_channels
        self.divisor = 4 if tiny else 16
        self.probabilities = probabilities
        self.per_sample_loss = per_sample_loss
        self._layout = {"in_channels": in_channels, "blocks": blocks, "tiny": tiny, "align_corners": align_corners}
        if decoder == "unet":
            self._layout |= {"reduce": reduce, "probabilities": probabilities}
        super().__init__(**kwargs)

    def build_network(self) -> nn.Module:
        return (ACMUNet if self.decoder == "unet" else ACMFPN)(**self._layout)

    def logits(self, outputs: Any) -> torch.Tensor:
        return probability_to_logit(outputs) if self.probabilities else outputs

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(self.logits(outputs), masks, per_sample=self.per_sample_loss)}
