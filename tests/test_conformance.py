"""What every registered method has to do, whatever it computes."""

import numpy as np
import pytest
import torch

from irsam_zoo.engine.network_profile import count_flops
from irsam_zoo.zoo import build_method, list_methods
from irsam_zoo.zoo.conformance import CHECKS, LEVELS, scene
from tests.deep_methods import DEEP

# A small network input keeps the whole zoo within seconds; sizes of the authors' are checked with the golden files.
SMALL_INPUT = 96


@pytest.fixture(scope="module")
def build():
    """A detector by name, built once a module."""
    built = {}

    def get(name):
        if name not in built:
            torch.manual_seed(0)
            built[name] = build_method(name, weights=None, **({"input_size": SMALL_INPUT} if name in DEEP else {}))
        return built[name]

    return get


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("name", list_methods())
def test_every_method_passes_every_check(name, check, build):
    check(build(name))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", sorted(set(list_methods()) - set(DEEP)))
def test_classical_maps_of_constant_images_are_zero(name, level, build):
    assert not build(name).predict(np.full((32, 48), level)).any()


@pytest.mark.parametrize("name", DEEP)
def test_flops_are_counted_and_no_parameter_is_frozen_by_it(name, build):
    detector = build(name)
    learned = [parameter.requires_grad for parameter in detector.network.parameters()]
    assert count_flops(detector, scene(32, 32)) > 1e6
    assert [parameter.requires_grad for parameter in detector.network.parameters()] == learned
