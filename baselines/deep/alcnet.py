"""ALCNet: local contrast as a layer on each level of a feature pyramid."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from irsam_zoo.baselines.deep.parts.asymmetric_fusion import BASICIRSTD_KEYS, HIGH, LOW, MIDDLE, AsymmetricFusion, ResEncoder
from irsam_zoo.baselines.deep.parts.blocks import FCNHead, channel_attention, init_msra_prelu, res_stage
from irsam_zoo.baselines.deep.parts.losses import soft_iou_loss
from irsam_zoo.baselines.deep.parts.resizing import resize
from irsam_zoo.zoo import METHODS, MethodCard, UsageError
from irsam_zoo.zoo.neural import NeuralDetector, probability_to_logit

SHIFTS = (13, 17)  # open-alcnet, model/contrast.py
SCALE_MODES = ("multiple", "single", "localsk")
# Half of the eight directions; each is taken together with its opposite.
DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, 1))


def patch_contrast(x, shifts):
    """Local contrast of each pixel with pixels at a distance, wrapped around at the border.

    For each direction the difference to the pixel there times the difference to the pixel opposite; then the least of the
    four directions, so that a pixel stands out only where it does so on all sides.

    Arguments:
        x: BxCxHxW, H and W at least as large as the largest shift.
        shifts: Distances in px.

    Returns:
        list[torch.Tensor]: BxCxHxW for each shift.
    """
    height, width = x.shape[-2:]
    margin = max(shifts)
    padded = F.pad(x, (margin,) * 4, mode="circular")

    def difference(down, right):
        return padded[..., margin + down : margin + down + height, margin + right : margin + right + width] - x

    contrasts = []
    for shift in shifts:
        least = None
        for down, right in DIRECTIONS:
            product = difference(shift * down, shift * right) * difference(-shift * down, -shift * right)
            least = product if least is None else torch.minimum(least, product)
        contrasts.append(least)
    return contrasts


class LocalScaleSelection(nn.Module):
    """Weighted sum of two contrasts with weights learned from their sum at each pixel."""

    def __init__(self, channels):
        super().__init__()
        self.local_att = channel_attention(channels, reduction=2, pooled=False)

    def forward(self, first, second):
        """Two BxCxHxW contrasts to one."""
        weight = self.local_att(first + second)
        return 2 * first * weight + 2 * second * (1 - weight)


class BottomUpLocal(nn.Module):
    """Bottom-up local attentional modulation (paper, section III-C): the shallow map weighs the deep one at each pixel."""

    def __init__(self, channels):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.bn2 = nn.BatchNorm2d(channels)
        self.bottomup_att = channel_attention(channels, reduction=1, pooled=False)

    def forward(self, high, low):
        """BxCxHxW deep and shallow map, of one size, to BxCxHxW."""
        low = self.bn2(low)
        return self.bottomup_att(low) * self.bn1(high) + low


class ALCNetwork(ResEncoder):
    """MPCMResNetFPN of open-alcnet with the pyramid ``Dec`` and the fusion ``bottomuplocal``.

    Arguments:
        scale_mode: How the contrasts at 13 and 17 px become one: ``"multiple"`` their maximum, ``"single"`` that at 13 px
            alone, ``"localsk"`` a learned weighting.
        in_channels, blocks: As in `ResEncoder`.
    """

    def __init__(self, *, scale_mode="multiple", in_channels=3, blocks=4):
        super().__init__(in_channels=in_channels, blocks=blocks, tiny=True)
        self.shifts = SHIFTS[:1] if scale_mode == "single" else SHIFTS
        self.selects = scale_mode == "localsk"
        if self.selects:
            self.fuse_mpcm_c1 = LocalScaleSelection(LOW)
            self.fuse_mpcm_c2 = LocalScaleSelection(MIDDLE)
            self.fuse_mpcm_c3 = LocalScaleSelection(HIGH)
        self.dec_c2 = nn.Sequential(nn.Conv2d(MIDDLE, LOW, 1, bias=False), nn.BatchNorm2d(LOW), nn.ReLU(True))
        self.dec_c3 = nn.Sequential(nn.Conv2d(HIGH, LOW, 1, bias=False), nn.BatchNorm2d(LOW), nn.ReLU(True))
        self.bottomuplocal_fpn_2 = BottomUpLocal(LOW)
        self.bottomuplocal_fpn_1 = BottomUpLocal(LOW)
        self.head = FCNHead(LOW)
        init_msra_prelu(self)

    def forward(self, x):
        """BxCxHxW image, H and W above 68, to Bx1xHxW logits."""
        low, middle, high = self.encode(x)
        low, middle, high = (self._contrast(level, stage) for level, stage in enumerate((low, middle, high), 1))
        middle, high = self.dec_c2(middle), self.dec_c3(high)
        middle = self.bottomuplocal_fpn_2(resize(high, middle.shape[-2:], True), middle)
        return self.head(self.bottomuplocal_fpn_1(resize(middle, low.shape[-2:], True), low))

    def _contrast(self, level, stage):
        contrasts = patch_contrast(stage, self.shifts)
        if self.selects:
            return getattr(self, f"fuse_mpcm_c{level}")(*contrasts)
        return torch.maximum(*contrasts) if len(contrasts) == 2 else contrasts[0]


class ToolboxNetwork(ResEncoder):
    """ASKCResNetFPN of BasicIRSTD's model_ALCnet.py, one channel: a pyramid with asymmetric modulation and no contrast.

    The toolbox builds two residual stages that it never runs. They stay, since its checkpoints and its parameter count hold
    them.
    """

    def __init__(self):
        super().__init__(in_channels=1, tiny=False)
        self.uplayer2 = res_stage(4, MIDDLE, MIDDLE)
        self.uplayer1 = res_stage(4, LOW, LOW)
        self.deconv2 = nn.ConvTranspose2d(HIGH, MIDDLE, 4, 2, 1)
        self.fuse23 = AsymmetricFusion(MIDDLE)
        self.deconv1 = nn.ConvTranspose2d(MIDDLE, LOW, 4, 2, 1)
        self.fuse12 = AsymmetricFusion(LOW)
        self.deconv0 = nn.ConvTranspose2d(LOW, LOW // 2, 4, 2, 1)
        self.head = FCNHead(LOW // 2)
        init_msra_prelu(self)

    def forward(self, x):
        """Bx1xHxW image, H and W multiples of 16, to Bx1xHxW probabilities."""
        low, middle, high = self.encode(x)
        low = self.fuse12(self.deconv1(self.fuse23(self.deconv2(high), middle)), low)
        return torch.sigmoid(resize(self.head(self.deconv0(low)), x.shape[-2:], False))


@METHODS.register_module("alcnet")
class ALCNet(NeuralDetector):
    """ALCNet; the default is the configuration of the checkpoint that its author released.

    Arguments:
        scale_mode: As in `ALCNetwork`.
        blocks: Residual blocks in each stage.
        toolbox: Build what BasicIRSTD calls ALCNet instead. It takes one channel and no other option of the network.
    """

    card = MethodCard(
        title="ALCNet",
        authors="Dai et al.",
        year=2021,
        venue="IEEE TGRS 59(11)",
        url="https://github.com/YimianDai/open-alcnet",
        family="deep",
        fidelity="author-code",
        notes=(
            "The released network takes the maximum of the contrasts at 13 and 17 px, four blocks a stage: 372,579 parameters.",
            "The paper's tables print 0.54 M; no configuration of the author's code has that many.",
            "The author's code is MXNet; outputs equal a line-by-line PyTorch transcription of it, into which the released "
            ".params file loads with nothing missing or left over.",
            "The network that BasicIRSTD calls ALCNet, which many later papers compare with, has no local contrast: see the "
            "configuration alcnet_basicirstd.",
            "The contrasts wrap around at the border, as the author's circular shifts do.",
        ),
    )
    default_input_size = 512  # open-alcnet, train script: base-size, to which test images are resized
    convert_rules = BASICIRSTD_KEYS

    def __init__(self, *, scale_mode: str = "multiple", blocks: int = 4, toolbox: bool = False, **kwargs: Any):
        if scale_mode not in SCALE_MODES:
            raise UsageError(f"scale_mode {scale_mode!r} of alcnet is not one of {', '.join(SCALE_MODES)}")
        if toolbox and (scale_mode != "multiple" or blocks != 4):
            raise UsageError("toolbox of alcnet takes neither scale_mode nor blocks")
        self.scale_mode = scale_mode
        self.blocks = blocks
        self.toolbox = toolbox
        if toolbox:
            self.in_channels = 1
        else:
            self.divisor = 4
            self.smallest_input = 4 * (max(SHIFTS) + 1)  # the largest shift has to fit the map at a quarter of the size
        super().__init__(**kwargs)

    def build_network(self) -> nn.Module:
        if self.toolbox:
            return ToolboxNetwork()
        return ALCNetwork(scale_mode=self.scale_mode, blocks=self.blocks)

    def logits(self, outputs: Any) -> torch.Tensor:
        return probability_to_logit(outputs) if self.toolbox else outputs

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"soft_iou": soft_iou_loss(self.logits(outputs), masks)}
