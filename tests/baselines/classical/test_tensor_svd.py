import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.parts.tensor_svd import from_spectrum, shrink_singular_values, spectrum


def shrunk_by_svd(matrix, rule):
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    s = rule(torch.from_numpy(s)[None])[0].numpy()
    return (u * s) @ vh, s


def soft(values):
    return (values - 3.0).clamp(min=0)


def partial(values):
    shrunk = soft(values)
    shrunk[:, :2] = values[:, :2]
    return shrunk


@pytest.mark.parametrize("rule", [soft, partial])
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 10**6))
def test_shrinkage_equals_that_of_the_svd(rule, batch, rows, columns, is_complex, seed):
    rng = np.random.default_rng(seed)
    matrices = rng.normal(scale=2, size=(batch, rows, columns))
    if is_complex:
        matrices = matrices + 1j * rng.normal(scale=2, size=matrices.shape)
    matrices[0] *= 1e-3  # nothing of it is left by the soft rule
    result, values = shrink_singular_values(torch.from_numpy(matrices), rule)
    for ours, kept, matrix in zip(result, values, matrices, strict=True):
        expected, singular = shrunk_by_svd(matrix, rule)
        np.testing.assert_allclose(ours.resolve_conj(), expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(kept, singular, rtol=0, atol=1e-12)


def test_small_singular_values_keep_their_digits_beside_a_large_one():
    rng = np.random.default_rng(0)
    u, v = np.linalg.qr(rng.normal(size=(6, 6)))[0], np.linalg.qr(rng.normal(size=(9, 6)))[0]
    matrix = (u * [1e6, 1e3, 1.0, 0.5, 0.2, 0.1]) @ v.T
    _, values = shrink_singular_values(torch.from_numpy(matrix)[None], lambda s: s)
    np.testing.assert_allclose(values[0, 2:], [1.0, 0.5, 0.2, 0.1], rtol=1e-5)


def test_all_zero_batch_stays_zero():
    result, values = shrink_singular_values(torch.zeros(3, 4, 5, dtype=torch.complex128), soft)
    assert result.eq(0).all()
    assert values.shape == (3, 4)


def test_parameters_of_the_rule_follow_the_batch():
    rng = np.random.default_rng(0)
    matrices = torch.from_numpy(rng.normal(scale=2, size=(2, 3, 5, 6)))
    matrices[0, 1] = 0
    thresholds = torch.tensor([[1.0], [3.0]])
    result, values = shrink_singular_values(matrices, lambda s, tau: (s - tau).clamp(min=0), thresholds)
    assert values.shape == (2, 3, 5)
    for image, threshold in enumerate((1.0, 3.0)):
        expected, kept = shrink_singular_values(matrices[image], lambda s, tau=threshold: (s - tau).clamp(min=0))
        np.testing.assert_allclose(result[image], expected, rtol=0, atol=1e-13)
        np.testing.assert_allclose(values[image], kept, rtol=0, atol=1e-13)


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_spectrum_is_half_of_the_transform_and_comes_back(depth):
    slices = torch.randn(depth, 3, 4, dtype=torch.float64)
    half = spectrum(slices)
    np.testing.assert_allclose(half, np.fft.fft(slices.numpy(), axis=0)[: depth // 2 + 1], atol=1e-13)
    np.testing.assert_allclose(from_spectrum(half, depth), slices, atol=1e-14)
