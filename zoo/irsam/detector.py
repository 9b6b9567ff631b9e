"""IRSAM as a method of the zoo."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from irsam_zoo.zoo.card import MethodCard
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.irsam.decoder import GRANULARITIES
from irsam_zoo.zoo.irsam.initialize import load_sam_weights
from irsam_zoo.zoo.irsam.loss import irsam_loss
from irsam_zoo.zoo.irsam.network import IRSAMNetwork
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.registry import METHODS
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint
from irsam_zoo.zoo.weights.loaded import Weights


@METHODS.register_module("irsam")
class IRSAM(NeuralDetector):
    """MobileSAM with a wavelet Perona-Malik block before its encoder and an edge branch in its decoder.

    As it stands it follows the paper's protocol: images are resized to 512x512, cut to whole grey levels, enlarged to 1024x1024
    inside the network, and their logits resized to the image's size.

    Arguments:
        granularity: What feeds the edge branch: ``"both"`` (deep and shallow features, as the paper describes), ``"deep"`` (as
            released), or ``"none"`` (no edge branch: MobileSAM's decoder).
        wpmd: Add the wavelet Perona-Malik block.
        enlarge: 2 enlarges the image by nearest neighbour before the encoder, 1 does not and costs a quarter.
        init_from: Checkpoint to start training from: ``mobile_sam.pt``, one of Segment Anything, or one of the released IRSAM.
            What fits by name and shape is taken, and a note says what did not. Not read where ``checkpoint`` is given.
        kwargs: Those of `NeuralDetector`. ``input_size="native"`` keeps the image's size; the zeros of ``padding="zero"`` are
            black then, since the network itself normalises.

    Attributes:
        initialization (Initialization | None): What ``init_from`` brought.
    """

    card = MethodCard(
        title="IRSAM",
        authors="Zhang et al.",
        year=2024,
        venue="ECCV",
        url="https://github.com/IPIC-Lab/IRSAM",
        family="deep",
        fidelity="reconstruction",
        fidelity_scope="WPMD",
        notes=(
            "The authors never released the wavelet Perona-Malik block; this one is built from the published equation.",
            "Encoder and decoder equal the released code; the decoder's shallow branch, commented out there, is on.",
            "Parameters are counted without the unused ImageNet head of the encoder (321,640).",
        ),
    )
    network: IRSAMNetwork
    default_input_size = 512  # IPIC-Lab/IRSAM, utils/dataloader.py: Resize([512, 512])
    evaluation_options = ("input_size", "enlarge")

    def __init__(self, *, granularity: str = "both", wpmd: bool = True, enlarge: int = 2, init_from=None, **kwargs: Any):
        if granularity not in GRANULARITIES:
            raise UsageError(f"granularity must be one of {', '.join(GRANULARITIES)}; got {granularity!r}")
        if enlarge not in (1, 2):
            raise UsageError(f"enlarge must be 1 or 2, not {enlarge}")
        self.granularity, self.wpmd, self.enlarge = granularity, bool(wpmd), enlarge
        super().__init__(**kwargs)
        self.card = _card(self.card, self.granularity, self.wpmd, self.enlarge)
        self.initialization = None
        if init_from is not None and self.weights is None:
            self._initialize(init_from)

    def build_network(self) -> nn.Module:
        return IRSAMNetwork(granularity=self.granularity, wpmd=self.wpmd, enlarge=self.enlarge)

    def start_from(self, checkpoint: str | Path) -> Weights:
        """Take weights of this network, or what ``init_from`` would take of others."""
        path = Path(checkpoint)
        own = self.network.state_dict()
        if load_checkpoint(path, own)[0].keys() >= own.keys():
            return super().start_from(path)
        self._initialize(path)
        return Weights(path, sha256_file(path), {})

    def _initialize(self, path):
        self.initialization = load_sam_weights(self.network, path)
        self.note(str(self.initialization))

    def _resize_file(self, image: np.ndarray) -> np.ndarray:
        return self._resize(torch.from_numpy(image)[None, None].float())[0, 0].to(torch.uint8).numpy()

    def _resize(self, images: torch.Tensor) -> torch.Tensor:
        # IPIC-Lab/IRSAM resizes without antialiasing and casts to uint8, which cuts off the fraction.
        return F.interpolate(images, self._square, mode="bilinear", align_corners=False).floor()

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Bx1xhxw to Bx3xhxw grey levels: the network itself subtracts the mean, as the reference does."""
        return images.expand(-1, self.in_channels, -1, -1)

    def logits(self, outputs: Any) -> torch.Tensor:
        return outputs[0]

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        return irsam_loss(outputs, masks)

    @property
    def num_parameters(self):
        """Parameters without the encoder's unused ImageNet head."""
        return self.network.num_parameters()


def _card(card, granularity, wpmd, enlarge):
    """The card of a variant: without the wavelet block nothing is reconstructed but the decoder's shallow branch."""
    block, branch, count = card.notes
    notes = {
        "both": (branch,),
        "deep": ("Encoder and decoder equal the released code.",),
        "none": ("Encoder and decoder are MobileSAM's; there is no edge branch.",),
    }[granularity]
    if enlarge == 1:
        notes += ("The encoder sees the image at its size; the released code enlarges it twice.",)
    notes = (*([block] if wpmd else []), *notes, count)
    if wpmd:
        return replace(card, notes=notes)
    if granularity == "both":
        return replace(card, title="IRSAM without WPMD", fidelity_scope="shallow branch of the decoder", notes=notes)
    scope = "enlarge changed" if enlarge == 1 else ""
    title = "IRSAM as released" if granularity == "deep" else "MobileSAM baseline"
    return replace(card, title=title, fidelity="author-code", fidelity_scope=scope, notes=notes)
