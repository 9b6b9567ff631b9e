"""IRSAM: the main method."""

from irsam_zoo.zoo.irsam.detector import IRSAM
from irsam_zoo.zoo.irsam.initialize import Initialization, load_sam_weights
from irsam_zoo.zoo.irsam.network import IRSAMNetwork

__all__ = ["IRSAM", "IRSAMNetwork", "Initialization", "load_sam_weights"]
