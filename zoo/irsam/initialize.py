"""Starting from the weights of another network: MobileSAM, Segment Anything, or IRSAM as released."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, load_weights


@dataclass(frozen=True)
class Initialization:
    """What `load_sam_weights` did, as lists of keys.

    Attributes:
        path: The file.
        loaded: Keys whose values were taken from the file.
        left: Keys of the file that the network does not have, or has in another shape.
        missing: Keys of the network that kept their fresh values.
    """

    path: Path
    loaded: tuple[str, ...]
    left: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.path.name}: {len(self.loaded)} tensors loaded; left in the file: {_by_part(self.left)}; "
            f"not in the file: {_by_part(self.missing)}"
        )


def load_sam_weights(network: nn.Module, path: str | Path) -> Initialization:
    """Copy all tensors of a checkpoint that fit by name and shape.

    MobileSAM's ``mobile_sam.pt`` fills everything but IRSAM's own parts. A checkpoint of Segment Anything with another encoder
    fills the prompt encoder and the mask decoder alone. One of the released IRSAM fills everything but the wavelet block.

    Arguments:
        network (IRSAMNetwork): Receives the values.
        path: Checkpoint file, in any form that `zoo.weights.checkpoints.load_checkpoint` reads.

    Returns:
        Initialization: What was loaded, left and missing.

    Raises:
        ZooError: The file cannot be read, or nothing in it fits.
    """
    path = Path(path)
    own = network.state_dict()
    state_dict, _ = load_checkpoint(path, own)
    fitting = {key: value for key, value in state_dict.items() if key in own and own[key].shape == value.shape}
    if not fitting:
        raise ZooError(
            f"{path} has no tensor of MobileSAM, Segment Anything or IRSAM; expected keys such as image_encoder.neck.0.weight"
        )
    load_weights(network, own | fitting, source=path)
    return Initialization(
        path=path,
        loaded=tuple(fitting),
        left=tuple(key for key in state_dict if key not in fitting),
        missing=tuple(key for key in own if key not in fitting),
    )


def _by_part(keys: Iterable[str]) -> str:
    """``"mask_decoder.edge_mlp (6), wpmd.gates (4)"``: how many keys of each part, or ``"nothing"``."""
    counts = {}
    for key in keys:
        part = ".".join(key.split(".")[:2])
        counts[part] = counts.get(part, 0) + 1
    return ", ".join(f"{part} ({count})" for part, count in counts.items()) or "nothing"
