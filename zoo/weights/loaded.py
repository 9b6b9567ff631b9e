"""Where the weights of a network came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Weights:
    """Weights that a network has from a file.

    Attributes:
        path: The checkpoint file.
        sha256: Hex digest of the file.
        metadata: What its writer stored beside the tensors: plain data by name, as JSON holds it, nested where it was. Of a
            known file (`zoo.weights.known_weights`), its `provenance` as well.
    """

    path: Path
    sha256: str
    metadata: dict[str, Any]
