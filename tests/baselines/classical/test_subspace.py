import math

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.classical.parts import subspace
from irsam_zoo.baselines.classical.parts.proximal import leading_spectrum
from irsam_zoo.baselines.classical.parts.subspace import Rest, TrackedSpectrum, is_complete


@pytest.fixture(autouse=True)
def every_size(monkeypatch):
    monkeypatch.setattr(subspace, "SMALLEST", 0)


@pytest.fixture
def decomposed(monkeypatch):
    """The bounds of the matrices that were decomposed whole."""
    bounds = []
    original = TrackedSpectrum._decompose

    def spy(self, matrix, above, at_least):
        bounds.append(above)
        return original(self, matrix, above, at_least)

    monkeypatch.setattr(TrackedSpectrum, "_decompose", spy)
    return bounds


def turning(count, *, rows=200, columns=260, angle=0.004, seed=0):
    """Matrices whose singular vectors turn and whose singular values, 40 to 0.3, drift a little."""
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.normal(size=(rows, rows)))[0]
    right = np.linalg.qr(rng.normal(size=(columns, rows)))[0]
    spin = rng.normal(size=(rows, rows))
    turn = np.linalg.qr(np.eye(rows) + angle * (spin - spin.T) / rows**0.5)[0]
    turn *= np.sign(np.diag(turn))
    values = 40 * np.exp(-5 * np.linspace(0, 1, rows) ** 0.5)
    for _ in range(count):
        yield torch.from_numpy(left * values @ right.T)
        left, values = left @ turn, values * (1 + 0.002 * rng.normal(size=rows))


def shrunk(spectrum, above):
    left, right = spectrum.factors(spectrum.values - above)
    return left @ right


def assert_same(found, exact, above):
    assert len(found.values) == len(exact.values)
    np.testing.assert_allclose(found.values, exact.values, atol=1e-5 * above)
    assert torch.linalg.matrix_norm(shrunk(found, above) - shrunk(exact, above)) < 1e-4 * above


def test_no_product_of_two_entries_of_the_rest_is_subnormal():
    matrix = torch.full((40, 50), 1e-20, dtype=torch.float64)
    matrix[3, 4], matrix[5, 6] = 1e-17, -2.0
    rest = Rest(matrix, torch.zeros(40, 0, dtype=torch.float64), torch.zeros(0, 50, dtype=torch.float64)).matrix
    assert sorted(rest[rest != 0].tolist()) == pytest.approx([-2.0, 1e-17])
    assert rest[rest != 0].abs().min() ** 2 > torch.finfo(torch.float32).tiny


@pytest.mark.parametrize("tall", [False, True])
def test_equals_the_decomposition_while_the_bound_falls_and_while_it_stays(decomposed, tall):
    tracked, above = TrackedSpectrum(1e-4), 4.0
    for number, matrix in enumerate(turning(30)):
        matrix = matrix.T.contiguous() if tall else matrix
        assert_same(tracked.leading(matrix, above=above), leading_spectrum(matrix, above=above), above)
        above *= 0.95 if number < 15 else 1
    assert len(decomposed) < 6


def test_at_least_so_many_values(decomposed):
    tracked = TrackedSpectrum(1e-4)
    for number, matrix in enumerate(turning(8)):
        above = 12.0 if number else math.inf
        found = tracked.leading(matrix, above=above, at_least=25)
        exact = leading_spectrum(matrix, above=above, at_least=25)
        np.testing.assert_allclose(found.values, exact.values, rtol=1e-5)
    assert len(exact.values) == 25
    assert len(decomposed) < 4


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6])
def test_a_cluster_at_the_bound_is_divided_rightly(gap):
    rng = np.random.default_rng(3)
    left = np.linalg.qr(rng.normal(size=(120, 120)))[0]
    right = np.linalg.qr(rng.normal(size=(150, 120)))[0]
    values = np.concatenate([[30, 9, 5], 2 + gap * np.array([3, 2, 1, -1, -2, -3]), np.geomspace(1.7, 0.1, 111)])
    tracked = TrackedSpectrum(1e-4)
    for _ in range(6):
        left = np.linalg.qr(left + 1e-4 * rng.normal(size=left.shape))[0]
        found = tracked.leading(torch.from_numpy(left * values @ right.T), above=2.0)
        assert len(found.values) == 6
        np.testing.assert_allclose(found.values, values[:6], atol=1e-5)


def test_a_vector_that_the_warm_start_misses_is_found_by_decomposition(decomposed):
    matrices = list(turning(3, angle=0))
    tracked = TrackedSpectrum(1e-4)
    tracked.leading(matrices[0], above=2.0)
    missed = tracked.leading(matrices[0], above=2.0)
    # A new direction, orthogonal to all that the basis holds: no product with the basis shows it.
    left, values, right = np.linalg.svd(matrices[0].numpy(), full_matrices=False)
    values[150] = 3.0
    matrix = torch.from_numpy(left * values @ right)
    assert decomposed == [2.0]
    found = tracked.leading(matrix, above=2.0)
    assert decomposed == [2.0, 2.0]
    assert len(found.values) == len(missed.values) + 1
    assert_same(found, leading_spectrum(matrix, above=2.0), 2.0)


def test_a_bound_above_all_values_and_then_below_some():
    tracked = TrackedSpectrum(1e-4)
    for above, matrix in zip([100.0, 90.0, 20.0, 18.0], turning(4), strict=True):
        found = tracked.leading(matrix, above=above)
        assert_same(found, leading_spectrum(matrix, above=above), above)
    assert len(found.values) > 3
    for _ in range(2):
        assert len(tracked.leading(torch.zeros_like(matrix), above=18.0).values) == 0


def test_the_rest_is_proved_to_be_below_a_bound_by_its_gram_matrix():
    rng = np.random.default_rng(5)
    matrix = np.linalg.qr(rng.normal(size=(90, 90)))[0] * np.linspace(1, 0.2, 90)
    nothing = torch.zeros(90, 0, dtype=torch.float64)
    rest = Rest(torch.from_numpy(matrix), nothing, nothing.T)
    assert rest.square > 10
    assert rest.is_below(1.001)
    assert not rest.is_below(0.999)
    columns = torch.from_numpy(rng.normal(size=(90, 4))).float()
    np.testing.assert_allclose(rest.times(columns), matrix @ matrix.T @ columns.numpy(), atol=1e-5)


def test_a_spare_value_that_the_rest_may_lift_over_the_bound_leaves_it_open():
    values = torch.tensor([0.99, 0.9], dtype=torch.float64)
    assert is_complete(torch.tensor([[0.02, 0.0], [0.0, 0.02]]), values, 1.0)
    assert not is_complete(torch.tensor([[0.05, 0.0], [0.0, 0.02]]), values, 1.0)
    assert is_complete(torch.zeros(5, 0), values[:0], 1.0)


def test_small_matrices_are_decomposed(monkeypatch, decomposed):
    monkeypatch.setattr(subspace, "SMALLEST", 201)
    tracked = TrackedSpectrum(1e-4)
    for matrix in turning(2):
        found = tracked.leading(matrix, above=2.0)
        np.testing.assert_allclose(found.values, leading_spectrum(matrix, above=2.0).values, rtol=1e-12)
    assert decomposed == []
