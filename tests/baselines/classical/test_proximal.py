import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from irsam_zoo.baselines.classical.parts import proximal
from irsam_zoo.baselines.classical.parts.proximal import leading_spectrum, row_blocks, soft_threshold


def graded(rows, columns, seed, decay=0.7):
    """A matrix with singular values 1, decay, decay^2, ..."""
    rng = np.random.default_rng(seed)
    side = min(rows, columns)
    left = np.linalg.qr(rng.normal(size=(rows, side)))[0]
    right = np.linalg.qr(rng.normal(size=(columns, side)))[0]
    values = decay ** np.arange(side)
    return torch.from_numpy(left * values @ right.T), values


def by_svd(matrix, threshold):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left * np.maximum(values - threshold, 0)[..., None, :]) @ right


def test_soft_threshold_of_numbers_and_of_tensors():
    values = torch.tensor([-3.0, -1.0, 0.5, 2.0])
    assert soft_threshold(values, 1.0).tolist() == [-2.0, 0.0, 0.0, 1.0]
    assert soft_threshold(values, torch.tensor([1.0, 0.0, 1.0, 3.0])).tolist() == [-2.0, -1.0, 0.0, 0.0]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.floats(1e-4, 1.2), st.integers(0, 50), st.integers(0, 10**6))
def test_leading_spectrum_finds_all_and_only_what_exceeds_the_bound(rows, columns, above, expected, seed):
    matrix, values = graded(rows, columns, seed)
    assume(np.abs(values - above).min() > 1e-9)
    found = leading_spectrum(matrix, above=above, expected=expected)
    wanted = values[values > above]
    np.testing.assert_allclose(found.values, wanted, rtol=0, atol=1e-10)
    left, right = found.factors(found.values - above)
    np.testing.assert_allclose(left @ right, by_svd(matrix.numpy(), above), rtol=0, atol=1e-10)


@pytest.mark.parametrize("contiguous", [True, False])
@pytest.mark.parametrize("shape", [(60, 25), (25, 60)])
def test_leading_spectrum_returns_at_least_so_many(shape, contiguous):
    matrix, values = graded(*shape, seed=1)
    if not contiguous:
        matrix = matrix.T.contiguous().T
    found = leading_spectrum(matrix, at_least=4)
    np.testing.assert_allclose(found.values, values[:4], atol=1e-13)
    both = leading_spectrum(matrix, above=values[1] * 1.0001, at_least=3)
    np.testing.assert_allclose(both.values, values[:3], atol=1e-13)
    assert len(leading_spectrum(matrix, at_least=100).values) == 25
    assert len(leading_spectrum(matrix, above=math.inf).values) == 0


@pytest.mark.parametrize("expected", [0, 25])
@pytest.mark.parametrize(("above", "at_least"), [(0.1, 0), (0.1, 12), (math.inf, 3)])
def test_the_accelerator_finds_the_same_eigenvectors(above, at_least, expected):
    matrix, _ = graded(60, 25, seed=6)
    ours = proximal._eigenvectors_by_torch(matrix, above, at_least)
    lapack = proximal._eigenvectors_by_lapack(matrix, above, at_least, expected)
    assert ours.shape == lapack.shape
    np.testing.assert_allclose((ours * lapack).sum(0).abs(), 1, atol=1e-9)


def test_values_on_either_side_of_the_bound_are_told_apart():
    values = np.array([5.0, 2 + 1e-9, 2 - 1e-9, 1.0])
    matrix, _ = graded(30, 4, seed=2, decay=1.0)
    matrix = torch.from_numpy(np.linalg.qr(matrix.numpy())[0] * values)
    assert len(leading_spectrum(matrix, above=2.0).values) == 2


def test_zero_matrix_has_no_spectrum():
    assert len(leading_spectrum(torch.zeros(9, 5, dtype=torch.float64), above=0.0).values) == 0


def test_row_blocks_cover_all_rows_once():
    matrix = torch.zeros(101, 2500)
    blocks = row_blocks(matrix)
    assert len(blocks) > 1
    assert torch.equal(torch.cat([torch.arange(101)[block] for block in blocks]), torch.arange(101))
    assert row_blocks(torch.zeros(2, 10**6)) == [slice(0, 1), slice(1, 2)]
