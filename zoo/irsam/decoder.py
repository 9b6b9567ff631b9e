"""Granularity-aware decoder: SAM's mask decoder with an edge branch."""

import torch
from torch import nn

from irsam_zoo.zoo._compat import import_segment_anything
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.irsam.layer_norm import LayerNorm2d
from irsam_zoo.zoo.irsam.tiny_vit import EMBEDDING, WIDTHS

import_segment_anything()

from segment_anything.modeling.mask_decoder import MLP  # noqa: E402 (the line above makes it importable)
from segment_anything.modeling.transformer import TwoWayTransformer  # noqa: E402

GRANULARITIES = ("both", "deep", "none")
FEATURES = EMBEDDING // 8


def upscaler(inputs: int, hidden: int, *, last_activation: bool = False) -> nn.Sequential:
    """Two transposed convolutions that enlarge a map four times, to 32 channels."""
    layers = [
        nn.ConvTranspose2d(inputs, hidden, 2, 2),
        LayerNorm2d(hidden),
        nn.GELU(),
        nn.ConvTranspose2d(hidden, FEATURES, 2, 2),
    ]
    return nn.Sequential(*layers, nn.GELU()) if last_activation else nn.Sequential(*layers)


class MaskDecoder(nn.Module):
    """Mask and edge of a batch of images.

    Keys are those of IPIC-Lab/IRSAM, segment_anything_training/modeling. SAM's three further masks and its quality head have no
    say in the result. Their parts are kept for the sake of checkpoints and not computed.

    Arguments:
        granularity: ``"both"`` feeds the edge branch deep and shallow features, as the paper describes; ``"deep"`` feeds it the
            deep ones alone, as released; ``"none"`` has no edge branch, which leaves SAM's mask decoder.
    """

    def __init__(self, *, granularity: str = "both"):
        super().__init__()
        if granularity not in GRANULARITIES:
            raise UsageError(f"granularity must be one of {', '.join(GRANULARITIES)}; got {granularity!r}")
        self.granularity = granularity
        # segment_anything/build_sam.py, _build_sam.
        self.transformer = TwoWayTransformer(depth=2, embedding_dim=EMBEDDING, num_heads=8, mlp_dim=2048)
        self.iou_token = nn.Embedding(1, EMBEDDING)
        self.mask_tokens = nn.Embedding(4, EMBEDDING)
        self.output_upscaling = upscaler(EMBEDDING, EMBEDDING // 4, last_activation=True)
        self.output_hypernetworks_mlps = nn.ModuleList(MLP(EMBEDDING, EMBEDDING, FEATURES, 3) for _ in range(4))
        self.iou_prediction_head = MLP(EMBEDDING, EMBEDDING, 4, 3)
        if granularity != "none":
            self.edge_token = nn.Embedding(1, EMBEDDING)
            self.edge_mlp = MLP(EMBEDDING, EMBEDDING, FEATURES, 3)
            self.compress_vit_feat = upscaler(WIDTHS[2], EMBEDDING)
            self.embedding_encoder = upscaler(EMBEDDING, EMBEDDING // 4)
            self.embedding_maskfeature = nn.Sequential(
                nn.ConvTranspose2d(FEATURES, 64, 3, 1, 1),
                LayerNorm2d(64),
                nn.GELU(),
                nn.ConvTranspose2d(64, FEATURES, 3, 1, 1),
            )

    def forward(self, embedding, shallow, no_mask, position):
        """Decode.

        Arguments:
            embedding: Bx256xhxw image embedding.
            shallow: Bx160xhxw features of an early stage.
            no_mask: 1x256x1x1 embedding of "no mask prompt".
            position: 1x256xhxw position encoding.

        Returns:
            tuple: Mask logits and edge probabilities, both Bx1x4hx4w; the edges are None without an edge branch.
        """
        batch, channels, height, width = embedding.shape
        tokens = [self.iou_token.weight, self.mask_tokens.weight]
        if self.granularity != "none":
            tokens.append(self.edge_token.weight)
        tokens = torch.cat(tokens).expand(batch, -1, -1)
        # The transformer only adds the position encoding, so one copy serves the whole batch.
        tokens, keys = self.transformer(embedding + no_mask, position, tokens)
        features = self.output_upscaling(keys.transpose(1, 2).view(batch, channels, height, width))
        mask = dot(self.output_hypernetworks_mlps[0](tokens[:, 1]), features)
        if self.granularity == "none":
            return mask, None
        detail = self.embedding_maskfeature(features) + self.embedding_encoder(embedding)
        if self.granularity == "both":
            detail = detail + self.compress_vit_feat(shallow)
        edge = dot(self.edge_mlp(tokens[:, 5]), detail).sigmoid()
        return mask + mask * edge, edge


def dot(weights, features):
    """Inner product of BxC weights with each pixel of BxCxHxW features: Bx1xHxW."""
    return torch.einsum("bc,bchw->bhw", weights, features).unsqueeze(1)
