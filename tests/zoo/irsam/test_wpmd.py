from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from irsam_zoo.zoo.irsam.wpmd import LARGEST_STEP, WPMD, StructureEncoder, WaveletDiffusion

IMAGES = arrays(np.float64, st.tuples(st.just(1), st.just(1), st.integers(2, 9), st.integers(2, 9)), elements=st.floats(-3, 3))
BORDERS = st.sampled_from(["replicate", "circular"])


def diffuse(image, **options):
    with torch.no_grad():
        return WaveletDiffusion(channels=image.shape[1], **options).double()(torch.as_tensor(image, dtype=torch.float64))


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_one_step_against_the_equation():
    """Perona-Malik from its definition: flow along both diagonals of every 2x2 block, damped by the block's slope."""
    u, k, step = noise(1, 1, 5, 6)[0, 0].numpy(), 0.7, 0.3
    expected = u.copy()
    for r in range(4):
        for c in range(5):
            (a, b), (d, e) = u[r : r + 2, c : c + 2]
            lh, hl = (d + e - a - b) / 2, (b + e - a - d) / 2
            g = 1 / (1 + (lh**2 + hl**2) / k**2)
            slope = lh * np.array([[-1, -1], [1, 1]]) + hl * np.array([[-1, 1], [-1, 1]])
            expected[r : r + 2, c : c + 2] -= step * g * slope / 2
    result = diffuse(u[None, None], contrast=k, step=step, iterations=1)[0, 0].numpy()
    np.testing.assert_allclose(result[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-6)


@given(st.floats(-3, 3), BORDERS)
@settings(max_examples=10, deadline=None)
def test_a_constant_image_is_a_fixed_point(level, border):
    image = torch.full((1, 3, 6, 7), level, dtype=torch.float64)
    torch.testing.assert_close(diffuse(image, border=border), image, rtol=0, atol=0)


@given(IMAGES, BORDERS, st.floats(0.01, 0.49), st.floats(0.01, 10), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_the_output_stays_in_range_and_keeps_the_mean(image, border, step, contrast, iterations):
    result = diffuse(image, border=border, step=step, contrast=contrast, iterations=iterations).numpy()
    assert result.min() >= image.min() - 1e-6
    assert result.max() <= image.max() + 1e-6
    assert abs(result.mean() - image.mean()) < 1e-6


def test_variance_falls_with_every_iteration_in_flat_noise():
    image = 0.05 * noise(1, 1, 64, 64)
    variances = [diffuse(image, iterations=iterations).var().item() for iterations in range(7)]
    assert all(later < 0.99 * earlier for earlier, later in pairwise(variances))
    assert variances[4] < 0.5 * variances[0]


def test_a_high_edge_stays_and_a_low_one_goes():
    step = (torch.arange(32) >= 16).double().expand(1, 1, 32, 32)
    high, low = 4.0, 0.02  # against k = 0.2
    left = diffuse(high * step)[0, 0, 16]
    assert left[16] - left[15] > 0.95 * high
    left = diffuse(low * step)[0, 0, 16]
    assert left[16] - left[15] < 0.6 * low


def test_training_cannot_leave_the_stable_range():
    block = WaveletDiffusion(contrast=0.3, step=0.1)
    torch.testing.assert_close(block.contrast, torch.full((3,), 0.3))
    torch.testing.assert_close(block.step, torch.full((3,), 0.1))
    with torch.no_grad():
        block.log_contrast.fill_(-20)
        block.step_logit.fill_(50)
        assert (block.contrast > 0).all()
        assert (block.step <= LARGEST_STEP).all()
        block.filters.normal_(generator=torch.Generator().manual_seed(0))
        block.border, block.iterations = "circular", 1
        block.log_contrast.zero_()
        block.step_logit.zero_()
    image = noise(2, 3, 8, 9).float()
    with torch.no_grad():
        torch.testing.assert_close(block(image).mean((-2, -1)), image.mean((-2, -1)))


@pytest.mark.parametrize("options", [{"contrast": 0}, {"step": 0}, {"step": 0.5}])
def test_unstable_settings_are_refused(options):
    with pytest.raises(ValueError, match="contrast must be positive"):
        WaveletDiffusion(**options)


def test_every_part_of_the_diffusion_learns():
    block = WaveletDiffusion()
    block(noise(1, 3, 8, 8).float()).square().sum().backward()
    assert all(parameter.grad.abs().min() > 0 for parameter in (block.log_contrast, block.step_logit))
    assert block.filters.grad.abs().sum() > 0


def test_the_structure_encoder_has_the_released_size_and_the_shapes_of_the_stages():
    encoder = StructureEncoder()
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 2_058_240
    shapes = [tuple(features.shape[1:]) for features in encoder(torch.zeros(1, 3, 32, 48))]
    assert shapes == [(64, 16, 24), (128, 8, 12), (160, 4, 6), (320, 4, 6)]


@pytest.mark.parametrize("shrink", [1, 2])
def test_closed_gates_add_nothing_and_learn(shrink):
    block = WPMD()
    maps = block(noise(1, 3, 32, 32).float(), shrink)
    assert all((features == 0).all() for features in maps)
    assert maps[0].shape[-1] == 32 // shrink // 2
    sum(features.sum() for features in maps).backward()
    assert all(gate.grad.abs().sum() > 0 for gate in block.gates)
