"""IRSAM: the main method."""

from zoo.irsam.detector import IRSAM
from zoo.irsam.initialize import Initialization, load_sam_weights
from zoo.irsam.network import IRSAMNetwork

__all__ = ["IRSAM", "IRSAMNetwork", "Initialization", "load_sam_weights"]
