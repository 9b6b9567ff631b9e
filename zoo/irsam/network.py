"""The whole IRSAM network."""

import torch
from torch import nn
from torch.nn import functional as F

from irsam_zoo.zoo.irsam.decoder import MaskDecoder
from irsam_zoo.zoo.irsam.prompt_encoder import PromptEncoder
from irsam_zoo.zoo.irsam.tiny_vit import TinyViT
from irsam_zoo.zoo.irsam.wpmd import WPMD

# segment_anything/build_sam.py: ImageNet's mean and deviation, in grey levels.
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_STD = (58.395, 57.12, 57.375)


class IRSAMNetwork(nn.Module):
    """Image to mask and edge.

    Arguments:
        granularity: What feeds the edge branch: ``"both"``, ``"deep"`` or ``"none"``; see `MaskDecoder`.
        wpmd: Add the wavelet Perona-Malik block. Without it the parts are those of IPIC-Lab/IRSAM.
        enlarge: 2 enlarges the image by nearest neighbour before the encoder, as released (512 to 1024); 1 does not.
    """

    pixel_mean: torch.Tensor
    pixel_std: torch.Tensor

    def __init__(self, *, granularity: str = "both", wpmd: bool = True, enlarge: int = 2):
        super().__init__()
        if enlarge not in (1, 2):
            raise ValueError(f"enlarge must be 1 or 2, not {enlarge}")
        self.enlarge = enlarge
        self.image_encoder = TinyViT()
        self.prompt_encoder = PromptEncoder()
        self.mask_decoder = MaskDecoder(granularity=granularity)
        self.wpmd = WPMD() if wpmd else None
        self.register_buffer("pixel_mean", torch.tensor(PIXEL_MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(PIXEL_STD).view(-1, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Segment a batch.

        Arguments:
            image: Bx3xHxW, 0..255, sides multiples of 16, or of 8 where it is enlarged.

        Returns:
            tuple: Mask logits and edge probabilities, both Bx1xHxW; the edges are None without an edge branch.
        """
        size = image.shape[-2:]
        x = (image - self.pixel_mean) / self.pixel_std
        structure = None if self.wpmd is None else self.wpmd(x, shrink=2 // self.enlarge)
        if self.enlarge > 1:
            x = F.interpolate(x, scale_factor=self.enlarge, mode="nearest")
        embedding, shallow = self.image_encoder(x, structure)
        no_mask, position = self.prompt_encoder.dense(*embedding.shape[-2:])
        mask, edge = self.mask_decoder(embedding, shallow, no_mask, position)
        mask = F.interpolate(mask, size, mode="bilinear", align_corners=False)
        return mask, None if edge is None else F.interpolate(edge, size, mode="bilinear", align_corners=False)

    def num_parameters(self) -> int:
        """Parameters without the encoder's ImageNet classifier, which nothing calls (321,640)."""
        unused = (self.image_encoder.norm_head, self.image_encoder.head)
        return _count(self) - sum(_count(module) for module in unused)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
