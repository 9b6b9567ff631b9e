"""The networks of the zoo, for tests that go over all of them."""

from zoo import METHODS, list_configs, list_methods
from zoo.neural import NeuralDetector
from zoo.registry import method_config

DEEP = [name for name in list_methods() if issubclass(METHODS.module_dict[name], NeuralDetector)]
VARIANTS = [name for name in list_configs() if method_config(name)[1]["type"] in DEEP]
