import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.dim2clear import ContextMixer, FrequencyBranch, SpatialFrequencyAttention
from irsam_zoo.zoo import build_method


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return build_method("dim2clear", weights=None)


def test_it_is_marked_as_a_reconstruction(detector):
    assert detector.card.fidelity == "reconstruction"
    assert any("comparable" in note for note in detector.card.notes)
    assert 1e6 < detector.num_parameters < 5e6


def test_images_of_any_size_are_scored(detector):
    image = np.random.default_rng(0).uniform(0, 255, (37, 50))
    score = detector.predict(image)
    assert score.shape == image.shape
    assert score.std() > 0


@pytest.mark.parametrize("size", [(8, 8), (6, 10), (5, 7)])
def test_an_identity_filter_gives_the_map_back(size):
    branch = FrequencyBranch(3)
    branch.filter = torch.nn.Identity()
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(branch(x), x, atol=1e-5, rtol=1e-5)


def test_the_frequency_branch_sees_the_whole_map():
    torch.manual_seed(0)
    branch = FrequencyBranch(2).eval()
    x = torch.randn(1, 2, 16, 16)
    changed = x.clone()
    changed[..., 0, 0] += 1
    assert (branch(changed) - branch(x)).abs()[..., 8:, 8:].max() > 1e-4


def test_attention_raises_and_never_flips():
    torch.manual_seed(0)
    x = torch.randn(1, 4, 8, 8)
    ratio = SpatialFrequencyAttention(4).eval()(x) / x
    assert ratio.min() > 1
    assert ratio.max() < 2


def test_the_mixer_hears_all_three_levels():
    mixer = ContextMixer(4, shallower=2, deeper=8)
    maps = [torch.randn(1, c, s, s, requires_grad=True) for c, s in ((4, 8), (8, 4), (2, 16))]
    assert mixer(*maps).shape == (1, 4, 8, 8)
    mixer(*maps).sum().backward()
    assert all(x.grad.abs().sum() > 0 for x in maps)


def test_a_few_steps_approach_one_image():
    torch.manual_seed(0)
    detector = build_method("dim2clear", weights=None)
    network = detector.network.train()
    masks = torch.zeros(2, 1, 32, 32)
    masks[..., 10:14, 20:23] = 1
    images = torch.randn(2, 3, 32, 32) * 0.3 + 3 * masks
    optimizer = torch.optim.Adagrad(network.parameters(), 0.05)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = sum(detector.loss(detector.forward(images), masks).values())
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert losses[-1] < losses[0] - 0.05
