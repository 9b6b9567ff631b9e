"""What a method is: the registry, the base classes, cards, thresholds and checkpoints."""

from zoo.card import MethodCard
from zoo.detector import Detector
from zoo.errors import UsageError, ZooError
from zoo.plugins import load_plugin
from zoo.registry import METHODS, build_method, list_configs, list_methods
from zoo.thresholds import THRESHOLDS, Threshold, build_threshold

__all__ = [
    "METHODS",
    "THRESHOLDS",
    "Detector",
    "MethodCard",
    "Threshold",
    "UsageError",
    "ZooError",
    "build_method",
    "build_threshold",
    "list_configs",
    "list_methods",
    "load_plugin",
]
