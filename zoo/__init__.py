"""What a method is: the registry, the base classes, cards, thresholds and checkpoints."""

from importlib import import_module
from typing import TYPE_CHECKING

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

HOMES = ("errors", "card", "plugins", "thresholds", "detector", "registry")


def __getattr__(name):
    """Import a name's module when it is first asked for: the command line parses its arguments before torch is there."""
    if name in __all__:
        for home in HOMES:
            module = import_module(f"zoo.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
