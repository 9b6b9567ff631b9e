import math

import cv2
import numpy as np
import pytest
import torch

from irsam_zoo.zoo.irsam.loss import canny_edges, iou_loss, irsam_loss


def square(size=32, low=10, high=20):
    mask = torch.zeros(1, 1, size, size)
    mask[..., low:high, low:high] = 1
    return mask


def test_iou_by_hand():
    # Probabilities 3/4, 1/4 and 1/2 on masks 1, 0 and 1: intersection 5/4, union 3/2 + 2 - 5/4 = 9/4.
    logits = torch.tensor([math.log(3), -math.log(3), 0.0]).view(3, 1, 1, 1)
    masks = torch.tensor([1.0, 0.0, 1.0]).view(3, 1, 1, 1)
    assert iou_loss(logits, masks).item() == pytest.approx(1 - (1.25 + 1e-6) / (2.25 + 1e-6), abs=1e-6)


def test_iou_is_taken_over_the_batch_together():
    masks = torch.cat([square(), torch.zeros(1, 1, 32, 32)])
    logits = 40 * (masks - 0.5)
    assert iou_loss(logits, masks).item() == pytest.approx(0, abs=1e-6)
    logits[1, 0, :10, :10] = 20  # 100 false pixels beside 100 right ones, in the image without a target
    assert iou_loss(logits, masks).item() == pytest.approx(0.5, abs=1e-6)


def test_an_empty_batch_found_empty_costs_nothing():
    assert iou_loss(torch.full((2, 1, 8, 8), -60.0), torch.zeros(2, 1, 8, 8)).item() == pytest.approx(0, abs=1e-3)


def test_canny_follows_the_outline():
    edges = canny_edges(torch.cat([square(), torch.zeros(1, 1, 32, 32)]))
    assert edges.shape == (2, 1, 32, 32)
    assert set(edges.unique().tolist()) == {0.0, 1.0}
    assert edges[1].sum() == 0
    inner = torch.zeros(32, 32)
    inner[9:21, 9:21] = 1
    inner[11:19, 11:19] = 0
    found = edges[0, 0]
    assert (found * (1 - inner)).sum() == 0  # within a pixel of the outline
    assert found.sum(0).bool().sum() >= 10
    assert found.sum(1).bool().sum() >= 10


@pytest.mark.parametrize("share", [0.003, 0.1, 0.5, 0.9])
def test_canny_is_opencv_s(share):
    """On specks, blots and their touching of the border: each of 40 masks, to the pixel."""
    rng = np.random.default_rng(0)
    masks = np.stack([rng.random((37, 53)) < share for _ in range(40)]).astype(np.uint8)
    masks[20:] = [
        cv2.dilate(mask, np.ones((1 + number % 3, 2 + number % 4), np.uint8)) for number, mask in enumerate(masks[20:])
    ]
    found = canny_edges(torch.from_numpy(masks)[:, None].float())
    assert found.any()
    for mask, edges in zip(masks, found[:, 0].numpy(), strict=True):
        assert np.array_equal(edges * 255, cv2.Canny(mask * 255, 100, 200))


def test_both_terms_by_hand():
    masks = square()
    share = canny_edges(masks).mean().item()
    edges = torch.full_like(masks, 0.2)
    terms = irsam_loss((torch.zeros_like(masks), edges), masks)
    assert set(terms) == {"iou", "edge"}
    expected = -5 * (share * math.log(0.2) + (1 - share) * math.log(0.8))
    assert terms["edge"].item() == pytest.approx(expected, rel=1e-5)
    assert terms["iou"].item() == pytest.approx(1 - 50 / (512 + 100 - 50), rel=1e-5)


def test_without_edges_there_is_one_term():
    assert set(irsam_loss((torch.zeros(1, 1, 8, 8), None), torch.zeros(1, 1, 8, 8))) == {"iou"}


def test_saturated_edges_give_finite_gradients():
    masks = square()
    edges = torch.zeros_like(masks).requires_grad_()
    sum(irsam_loss((torch.zeros_like(masks), edges), masks).values()).backward()
    assert np.isfinite(edges.grad.numpy()).all()
