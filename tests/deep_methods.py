"""The networks of the zoo, for tests that go over all of them."""

from irsam_zoo.zoo import METHODS, list_configs, list_methods
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import method_config

DEEP = [name for name in list_methods() if issubclass(METHODS.module_dict[name], NeuralDetector)]
VARIANTS = [name for name in list_configs() if method_config(name)[1]["type"] in DEEP]
