"""What a method is: the registry, the base classes, cards, thresholds and checkpoints."""

from typing import TYPE_CHECKING

from zoo._yapf import leave_cache_alone
from zoo.lazy import lazy_names

if TYPE_CHECKING:  # also what `engine.code_version` follows
    from zoo.card import MethodCard
    from zoo.detector import Detector
    from zoo.errors import UsageError, ZooError
    from zoo.plugins import load_plugin
    from zoo.registry import METHODS, build_method, list_configs, list_methods
    from zoo.thresholds import THRESHOLDS, Oracle, Threshold, build_threshold

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

leave_cache_alone()  # before anything imports mmengine
# The command line parses its arguments before torch is there.
__getattr__ = lazy_names(__name__, __all__, ("errors", "card", "plugins", "thresholds", "detector", "registry"))
