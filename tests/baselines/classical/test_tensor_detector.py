"""A batch of images gives what each image gives alone."""

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.classical import mslstipt, pstnn, ript
from irsam_zoo.baselines.classical.parts.patches import PatchGrid
from irsam_zoo.zoo import build_method
from tests.oracles.golden import golden_image, random_scene

METHODS = {
    "pstnn": dict(patch_size=16, step=16),
    "ript": dict(patch_size=16, step=8),
    "mslstipt": dict(patch_size=20),
    "ipi": dict(patch_size=16, step=8),
    "nram": dict(patch_size=16, step=8),
}
# Different contents, so that the images take different numbers of iterations.
CROPS = [
    golden_image("clouds_96x128")[:48, :56],
    golden_image("edges_120x120")[40:88, 40:96],
    golden_image("flat_80x100")[20:68, 30:86],
    random_scene(3, 48, 56),
]


@pytest.mark.parametrize("name", METHODS)
def test_batch_equals_single_images(name):
    method = build_method(name, **METHODS[name])
    images = [*CROPS[:2], random_scene(7, 40, 33), np.full((48, 56), 90.0), *CROPS[2:]]
    scores = method.predict_batch(images)
    assert [score.shape for score in scores] == [image.shape for image in images]
    assert not scores[3].any()
    for image, score in zip(images, scores, strict=True):
        single = method.predict(image)
        np.testing.assert_allclose(score, single, rtol=0, atol=1e-6 * single.max())


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("name", ["pstnn", "ript", "mslstipt"])
def test_images_are_solved_batch_size_at_a_time(name, size, monkeypatch):
    method = build_method(name, **METHODS[name])
    solved = []
    monkeypatch.setattr(method, "batch_size", size)
    monkeypatch.setattr(method, "score_batch", lambda images: solved.append(len(images)) or torch.zeros_like(images))
    method.predict_batch(CROPS)
    assert solved == {1: [1, 1, 1, 1], 3: [3, 1]}[size]


def pstnn_solutions(images):
    grid = PatchGrid(*images.shape[1:], size=16, step=16)
    data = torch.stack([grid.extract(image) for image in images])
    prior = torch.stack([grid.extract(pstnn.corner_prior(image)) for image in images])
    return pstnn.solve(data, prior, weight=0.7, max_iterations=500)


def ript_solutions(images):
    grid = PatchGrid(*images.shape[1:], size=16, step=8)
    data = torch.stack([grid.extract(image) for image in images])
    local = torch.stack([grid.extract(ript.local_structure_weight(image, 1.0)) for image in images])
    return ript.solve(data, local, weight=0.7, mu_factor=5.0, max_iterations=200)


def mslstipt_solutions(images):
    data = torch.stack([mslstipt.to_tensor(image[None] / 255, 16)[0] for image in images])
    return mslstipt.solve(data, weight=1e-4 * 16, p=0.8, dictionary_iterations=800, max_iterations=200)


@pytest.mark.parametrize("solutions", [pstnn_solutions, ript_solutions, mslstipt_solutions])
def test_solver_counts_of_a_batch_equal_those_of_single_images(solutions):
    images = torch.from_numpy(np.stack(CROPS))
    together = solutions(images)
    alone = [solutions(image[None])[0] for image in images]
    assert len({solution.iterations for solution in alone}) > 1
    for ours, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours[0], expected[0], rtol=0, atol=1e-9 * float(expected[0].abs().max()))
        assert ours[1:] == expected[1:]


def test_a_dictionary_of_lower_rank_is_padded_without_effect():
    ramp = np.tile(np.arange(56.0), (48, 1))
    ramp[5, 7] = 255
    images = torch.from_numpy(np.stack([CROPS[0], ramp]))
    together = mslstipt_solutions(images)
    assert together[1].dictionary_rank < together[0].dictionary_rank
    for image, ours in zip(images, together, strict=True):
        (expected,) = mslstipt_solutions(image[None])
        np.testing.assert_allclose(ours.sparse, expected.sparse, rtol=0, atol=1e-9)
        assert ours[1:] == expected[1:]


@pytest.mark.parametrize("name", ["ipi", "nram", "pstnn", "ript"])
def test_each_image_of_a_batch_notes_its_cap(name):
    method = build_method(name, max_iterations=1, **METHODS[name])
    with pytest.warns(UserWarning, match="its cap of 1 iterations"):
        method.predict_batch(CROPS)
    assert method.take_notes() == ["the solver stopped at its cap of 1 iterations"] * len(CROPS)
