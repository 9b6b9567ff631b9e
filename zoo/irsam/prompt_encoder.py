"""SAM's prompt encoder where there is no prompt: a dense embedding and a position encoding."""

import math
from typing import cast

import torch

from irsam_zoo.zoo._compat import import_segment_anything

import_segment_anything()

from segment_anything.modeling import prompt_encoder as sam  # noqa: E402 (the line above makes it importable)

EMBEDDING = 256


class PromptEncoder(sam.PromptEncoder):
    """Segment Anything's prompt encoder, for any grid.

    Keys are those of IPIC-Lab/IRSAM, the second position encoding (``pe_layer_2``), which nothing reads, included.
    """

    def __init__(self):
        # The sizes serve prompts only; IRSAM's token grid is an argument of `dense`.
        super().__init__(embed_dim=EMBEDDING, image_embedding_size=(64, 64), input_image_size=(1024, 1024), mask_in_chans=16)
        self.pe_layer_2 = sam.PositionEmbeddingRandom(32)
        self._encoded = None

    def dense(self, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What the decoder takes for an image without prompts.

        Arguments:
            height, width: Token grid.

        Returns:
            tuple: The embedding of "no mask", 1x256x1x1, and the position encoding, 1x256x``height``x``width``.
        """
        return self.no_mask_embed.weight.view(1, -1, 1, 1), self._position_encoding(height, width)

    def _position_encoding(self, height: int, width: int) -> torch.Tensor:
        """Random Fourier features of the token centres, kept until the grid or the frequencies change."""
        frequencies = cast(torch.Tensor, self.pe_layer.positional_encoding_gaussian_matrix)
        if frequencies.is_inference():  # such a tensor counts no versions
            return encode_grid(frequencies, height, width)
        version = (height, width, frequencies._version)
        # Holding the tensor itself keeps its identity from being reused; the version counts writes, such as loading weights.
        if self._encoded is None or self._encoded[0] is not frequencies or self._encoded[1] != version:
            with torch.inference_mode(False), torch.no_grad():
                self._encoded = (frequencies, version, encode_grid(frequencies, height, width))
        return self._encoded[2]

    def __getstate__(self):
        # A copy's frequencies count their versions anew, so a copy starts without the encoding.
        return {**self.__dict__, "_encoded": None}


def encode_grid(frequencies: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """segment_anything's `PositionEmbeddingRandom.forward`, in the precision of ``frequencies`` (2xC): 1x2CxHxW."""
    rows = (torch.arange(height, device=frequencies.device, dtype=frequencies.dtype) + 0.5) / height
    columns = (torch.arange(width, device=frequencies.device, dtype=frequencies.dtype) + 0.5) / width
    x_part = (2 * columns - 1)[None, :, None] * frequencies[0]
    y_part = (2 * rows - 1)[:, None, None] * frequencies[1]
    angle = 2 * math.pi * (x_part + y_part)
    return torch.cat([angle.sin(), angle.cos()], dim=-1).permute(2, 0, 1).unsqueeze(0)
