"""What a method is: the registry, the base classes, cards, thresholds and checkpoints."""

from typing import TYPE_CHECKING

from irsam_zoo import refuse_bare
from irsam_zoo._lazy import lazy_names

if TYPE_CHECKING:  # also what `results.code_version` follows
    from irsam_zoo.zoo.card import MethodCard
    from irsam_zoo.zoo.detector import Detector
    from irsam_zoo.zoo.errors import UsageError, ZooError
    from irsam_zoo.zoo.plugins import load_plugin
    from irsam_zoo.zoo.registry import METHODS
    from irsam_zoo.zoo.specs import build_method, list_configs, list_methods
    from irsam_zoo.zoo.thresholds import THRESHOLDS, Oracle, Threshold, build_threshold

__all__ = [
    "METHODS",
    "THRESHOLDS",
    "Detector",
    "MethodCard",
    "Oracle",
    "Threshold",
    "UsageError",
    "ZooError",
    "build_method",
    "build_threshold",
    "list_configs",
    "list_methods",
    "load_plugin",
]

refuse_bare(__name__)
# The command line parses its arguments before torch is there.
__getattr__ = lazy_names(__name__, __all__, ("errors", "card", "plugins", "thresholds", "detector", "registry", "specs"))
