"""TinyViT-5M as MobileSAM uses it: the image encoder.

Names of the learned parts are those of ChaoningZhang/MobileSAM, mobile_sam/modeling/tiny_vit_sam.py, so that its checkpoints
load without renaming. Token grids follow the input here, where the original fixes them for 1024x1024.
"""

import torch
from torch import nn
from torch.nn import functional as F

from irsam_zoo.zoo.irsam.layer_norm import LayerNorm2d

# MobileSAM, mobile_sam/build_sam.py, build_sam_vit_t.
WIDTHS = (64, 128, 160, 320)
DEPTHS = (2, 2, 6, 2)
HEADS = (2, 4, 5, 10)
WINDOWS = (7, 7, 14, 7)
EMBEDDING = 256
STRIDE = 16


class ConvNorm(nn.Sequential):
    """Convolution without bias, then batch norm; ``scale`` is the initial gamma."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1, scale=1.0):
        super().__init__()
        self.add_module("c", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
        norm = nn.BatchNorm2d(outputs)
        nn.init.constant_(norm.weight, scale)
        self.add_module("bn", norm)


class PatchEmbed(nn.Module):
    """Bx3xHxW to Bx``width``xH/4xW/4 by two strided convolutions."""

    def __init__(self, width):
        super().__init__()
        self.seq = nn.Sequential(ConvNorm(3, width // 2, 3, 2), nn.GELU(), ConvNorm(width // 2, width, 3, 2))

    def forward(self, x):
        return self.seq(x)


class MBConv(nn.Module):
    """Inverted bottleneck of MobileNetV2 with GELU and four times the width inside."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = ConvNorm(width, 4 * width)
        self.conv2 = ConvNorm(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = ConvNorm(4 * width, width, scale=0.0)

    def forward(self, x):
        y = F.gelu(self.conv1(x))
        y = F.gelu(self.conv2(y))
        return F.gelu(x + self.conv3(y))


class PatchMerging(nn.Module):
    """Widens the features, and halves the grid unless ``stride`` is 1."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = ConvNorm(inputs, outputs)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride, groups=outputs)
        self.conv3 = ConvNorm(outputs, outputs)

    def forward(self, x):
        x = F.gelu(self.conv1(x))
        return self.conv3(F.gelu(self.conv2(x)))


class Attention(nn.Module):
    """Self-attention inside windows of ``window`` x ``window`` tokens, with a learned bias for each |dy|, |dx|."""

    attention_bias_idxs: torch.Tensor

    def __init__(self, width, heads, window):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        steps = torch.arange(window)
        distance = (steps[:, None] - steps[None, :]).abs()
        index = window * distance[:, None, :, None] + distance[None, :, None, :]
        self.register_buffer("attention_bias_idxs", index.reshape(window**2, window**2), persistent=False)

    def forward(self, x):
        """BxNxC to BxNxC, N = window squared."""
        batch, tokens, width = x.shape
        # Per head the projection holds query, key and value side by side.
        qkv = self.qkv(self.norm(x)).view(batch, tokens, self.heads, 3, width // self.heads)
        query, key, value = qkv.permute(3, 0, 2, 1, 4).unbind(0)
        # Gathered at every pass (under 1 ms): MobileSAM's table, cached in eval mode, goes stale when weights are loaded.
        bias = self.attention_biases[:, self.attention_bias_idxs]
        x = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype).unsqueeze(0))
        return self.proj(x.transpose(1, 2).reshape(batch, tokens, width))


class Mlp(nn.Module):
    """Layer norm, then a hidden layer of four times the width."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class TinyViTBlock(nn.Module):
    """Windowed attention, a depthwise convolution across the windows, and an MLP."""

    def __init__(self, width, heads, window):
        super().__init__()
        self.window = window
        self.attn = Attention(width, heads, window)
        self.local_conv = ConvNorm(width, width, 3, groups=width)
        self.mlp = Mlp(width)

    def forward(self, x):
        """BxHxWxC to BxHxWxC, any H and W."""
        x = x + self.attend(x)
        # Tokens lie channels last, so both permutations are views.
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(x)

    def attend(self, x):
        """Attention in each window. Windows are filled up with zeros on the right and below, and the zeros are attended to."""
        batch, height, width, channels = x.shape
        side = self.window
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        rows, columns = x.shape[1] // side, x.shape[2] // side
        x = x.view(batch, rows, side, columns, side, channels).transpose(2, 3)
        x = self.attn(x.reshape(-1, side * side, channels))
        x = x.view(batch, rows, columns, side, side, channels).transpose(2, 3)
        return x.reshape(batch, rows * side, columns * side, channels)[:, :height, :width]


class ConvStage(nn.Module):
    """First stage: convolutional blocks, then the merge into the second."""

    def __init__(self, width, depth, outputs):
        super().__init__()
        self.blocks = nn.ModuleList(MBConv(width) for _ in range(depth))
        self.downsample = PatchMerging(width, outputs, stride=2)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.downsample(x)


class AttentionStage(nn.Module):
    """Later stages: transformer blocks, then the merge into the next stage where there is one."""

    def __init__(self, width, depth, heads, window, outputs=None):
        super().__init__()
        self.blocks = nn.ModuleList(TinyViTBlock(width, heads, window) for _ in range(depth))
        # tiny_vit_sam.py keeps the grid where the next stage is 320, 448 or 576 wide.
        self.downsample = PatchMerging(width, outputs, stride=1 if outputs == WIDTHS[-1] else 2) if outputs else nn.Identity()

    def forward(self, x):
        x = x.permute(0, 2, 3, 1).contiguous()
        for block in self.blocks:
            x = block(x)
        return self.downsample(x.permute(0, 3, 1, 2))


class TinyViT(nn.Module):
    """Image encoder of MobileSAM.

    ``norm_head`` and ``head`` are TinyViT's ImageNet classifier. Nothing calls them; MobileSAM's checkpoints carry them.
    """

    def __init__(self):
        super().__init__()
        self.patch_embed = PatchEmbed(WIDTHS[0])
        outputs = (*WIDTHS[1:], None)
        attention = zip(WIDTHS, DEPTHS, HEADS, WINDOWS, outputs, strict=True)
        self.layers = nn.ModuleList([ConvStage(WIDTHS[0], DEPTHS[0], WIDTHS[1])])
        self.layers.extend(AttentionStage(*stage) for stage in list(attention)[1:])
        self.norm_head = nn.LayerNorm(WIDTHS[-1])
        self.head = nn.Linear(WIDTHS[-1], 1000)
        self.apply(_init_linear)
        self.neck = nn.Sequential(
            nn.Conv2d(WIDTHS[-1], EMBEDDING, 1, bias=False),
            LayerNorm2d(EMBEDDING),
            nn.Conv2d(EMBEDDING, EMBEDDING, 3, padding=1, bias=False),
            LayerNorm2d(EMBEDDING),
        )

    def forward(self, x: torch.Tensor, structure: list[torch.Tensor] | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Encode a batch.

        Arguments:
            x: Bx3xHxW, normalised; H and W are multiples of 16.
            structure: Four maps to add to the inputs of the four stages: Bx64xH/4xW/4, Bx128xH/8xW/8, Bx160xH/16xW/16 and
                Bx320xH/16xW/16. None adds nothing.

        Returns:
            tuple: The embedding, Bx256xH/16xW/16, and the shallow features that enter the third stage, Bx160xH/16xW/16.
        """
        if x.shape[-2] % STRIDE or x.shape[-1] % STRIDE:
            raise ValueError(f"TinyViT takes multiples of {STRIDE} px, not {x.shape[-2]}x{x.shape[-1]}")
        # Attention wants tokens channels last; so laid out from the start, no stage has to turn its features round.
        x = self.patch_embed(x.contiguous(memory_format=torch.channels_last))
        shallow = None
        for index, layer in enumerate(self.layers):
            if structure is not None:
                x = x + structure[index]
            if index == 2:
                shallow = x
            x = layer(x)
        return self.neck(x), shallow


def _init_linear(module):
    """tiny_vit_sam.py, TinyViT._init_weights: truncated normal of deviation 0.02, zero bias."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
