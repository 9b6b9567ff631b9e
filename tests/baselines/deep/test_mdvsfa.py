import math

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.mdvsfa import detection_loss, discriminator_input, discriminator_loss, fused, generator_losses
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import convert_state_dict
from tests.golden_networks import check_network, reference_state

PARTS = {"mdvsfa_g1": "generator1", "mdvsfa_g2": "generator2", "mdvsfa_d": "discriminator"}


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return build_method("mdvsfa", weights=None)


@pytest.mark.parametrize(("reference", "part"), PARTS.items())
def test_each_part_equals_the_reference(reference, part):
    # In float64 the generators take several seconds; in float32 they round at 6e-6 of the standard deviation at most.
    dtype = torch.float64 if part == "discriminator" else torch.float32
    check_network(reference, getattr(build_method("mdvsfa", weights=None).network, part), dtype=dtype)


def test_parameters_and_keys_are_those_of_the_three_references(detector):
    references = [reference_state(reference) for reference in PARTS]
    assert detector.num_parameters == sum(meta["parameter_count"] for meta, _ in references) == 3_919_598
    state = {key: value for _, part in references for key, value in part.items()}
    converted = convert_state_dict("mdvsfa", state)
    assert converted.keys() == detector.network.state_dict().keys()
    assert convert_state_dict("mdvsfa", converted).keys() == converted.keys()


def test_the_score_cuts_the_mean_of_clipped_maps_at_one_half(detector):
    first = torch.tensor([[[[-3.0, 0.4, 0.9, 7.0]]]])
    second = torch.tensor([[[[-1.0, 0.5, 0.2, 2.0]]]])
    torch.testing.assert_close(fused((first, second)), torch.tensor([[[[0, 0.45, 0.55, 1]]]]))
    logits = detector.logits((first, second))
    torch.testing.assert_close(torch.sigmoid(logits), fused((first, second)), atol=2e-6, rtol=0)
    assert (logits > 0).flatten().tolist() == [False, False, True, True]
    assert detector.threshold(np.asarray(logits)).flatten().tolist() == [False, False, True, True]


def test_grey_levels_become_minus_one_to_one(detector):
    ends = torch.tensor([0.0, 127.5, 255.0]).view(1, 1, 1, 3)
    assert detector.normalize(ends).flatten().tolist() == [-1, 0, 1]


def test_images_of_any_size_are_scored(detector):
    image = np.random.default_rng(0).uniform(0, 255, (17, 24))
    assert detector.predict(image).shape == (17, 24)


def test_detection_losses_by_hand(detector):
    # Four pixels; the first is target. Squared errors after clipping: 0.25, 0.04, 0 and 1.
    first = torch.tensor([[[[0.5, 0.2, -4.0, 1.5]]]])
    second = torch.tensor([[[[1.0, 0.0, 0.5, 0.0]]]])
    masks = torch.tensor([[[[1.0, 0.0, 0.0, 0.0]]]])
    loss1, loss2 = (detection_loss(number, output, masks) for number, output in enumerate((first, second)))
    assert loss1.item() == pytest.approx(100 * (100 * 0.25 / 4 + 1.04 / 4))
    assert loss2.item() == pytest.approx(100 * 10 * 0.25 / 4)
    losses = detector.loss((first, second), masks)
    assert [value.item() for value in losses.values()] == pytest.approx([loss1.item(), loss2.item()])


def cross_entropy_of(logit, label):
    return math.log1p(math.exp(-logit)) if label else math.log1p(math.exp(logit))


def test_adversarial_losses_by_hand():
    verdicts = (
        torch.tensor([[0.7, 0.2, 0.1]]),
        torch.tensor([[0.5, 0.3, 0.2]]),
        torch.tensor([[0.1, 0.3, 0.6]]),
        torch.tensor(0.25),
    )
    rows = [row.flatten().tolist() for row in verdicts[:3]]

    def bce(row, label):
        return sum(cross_entropy_of(value, k == label) for k, value in enumerate(row)) / 3

    want = bce(rows[0], 0) + bce(rows[1], 1) + bce(rows[2], 2)
    assert discriminator_loss(verdicts).item() == pytest.approx(want)
    outputs = (torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    masks = torch.zeros(1, 1, 2, 2)
    loss1, loss2 = generator_losses(outputs, masks, verdicts)
    assert loss1.item() == pytest.approx(10 * bce(rows[1], 0) + 0.25)
    assert loss2.item() == pytest.approx(1000 + 10 * bce(rows[2], 0) + 0.25)


def test_the_discriminator_sees_real_first_and_second():
    images, masks = torch.rand(2, 1, 128, 128), torch.ones(2, 1, 128, 128)
    outputs = (torch.full_like(masks, 0.5), torch.full_like(masks, -3.0))
    judged = discriminator_input(images, masks, outputs)
    assert judged.shape == (6, 2, 128, 128)
    assert torch.equal(judged[:, 0], images.repeat(3, 1, 1, 1)[:, 0])
    assert judged[:, 1].amax((1, 2)).tolist() == judged[:, 1].amin((1, 2)).tolist() == [1, 1, 0, 0, -1, -1]


def test_adversarial_training_reaches_every_part(detector):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 128, 128, generator=generator) * 2 - 1
    masks = (images > 0.9).float()
    outputs = tuple(masks * 0.5 + 0.1 * part for part in (1, 2))  # stand-ins: the generators at this size take seconds
    outputs = tuple(output.requires_grad_() for output in outputs)
    network = detector.network.discriminator.train()
    verdicts = network(discriminator_input(images, masks, outputs))
    loss1, loss2 = generator_losses(outputs, masks, verdicts)
    (loss1 + loss2 + discriminator_loss(verdicts)).backward()
    assert all(output.grad.abs().sum() > 0 for output in outputs)
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_squares_of_another_size_train_the_generators_alone(detector):
    images, masks = torch.rand(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    masks[..., 4:6, 4:6] = 1
    network = detector.network.eval()
    assert detector.part_loss("discriminator", network.discriminator, images, masks) is None
    for number, part in enumerate(detector.parts[1:]):
        learner = getattr(network, part)
        loss = detector.part_loss(part, learner, images, masks)
        assert torch.equal(loss, detection_loss(number, learner(images), masks))
