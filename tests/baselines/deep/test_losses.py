import pytest
import torch

from irsam_zoo.baselines.deep.parts.losses import deep_supervision, soft_iou_loss

# Two images of 1x2 pixels with probabilities (1/2, 3/4) and (1/4, 1/2), masks (1, 0) and (1, 1).
PROBABILITIES = torch.tensor([[[[0.5, 0.75]]], [[[0.25, 0.5]]]])
LOGITS = torch.logit(PROBABILITIES)
MASKS = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])


def test_soft_iou_by_hand():
    # Image 1: intersection 1/2, union 5/4 + 1 - 1/2 = 7/4. Image 2: intersection 3/4, union 3/4 + 2 - 3/4 = 2.
    assert soft_iou_loss(LOGITS, MASKS).item() == pytest.approx(1 - (1.25 + 1) / (3.75 + 1))
    assert soft_iou_loss(LOGITS, MASKS, smooth=0).item() == pytest.approx(1 - 1.25 / 3.75)
    per_sample = soft_iou_loss(LOGITS, MASKS, smooth=0, per_sample=True)
    assert per_sample.item() == pytest.approx(1 - (0.5 / 1.75 + 0.75 / 2) / 2)
    smoothed = soft_iou_loss(LOGITS, MASKS, per_sample=True)
    assert smoothed.item() == pytest.approx(1 - (1.5 / 2.75 + 1.75 / 3) / 2)


def test_soft_iou_at_its_ends():
    sure = 100 * (2 * MASKS - 1)
    assert soft_iou_loss(sure, MASKS).item() == pytest.approx(0)
    assert soft_iou_loss(-sure, MASKS, smooth=0).item() == pytest.approx(1)
    # Nothing to find and nothing found is no loss, thanks to the smoothing term.
    assert soft_iou_loss(torch.full_like(MASKS, -100), torch.zeros_like(MASKS)).item() == pytest.approx(0)


def test_soft_iou_pulls_logits_towards_the_mask():
    logits = LOGITS.clone().requires_grad_()
    soft_iou_loss(logits, MASKS).backward()
    assert (logits.grad[MASKS == 1] < 0).all()
    assert (logits.grad[MASKS == 0] > 0).all()


def test_deep_supervision_is_the_mean_over_outputs():
    outputs = [LOGITS, LOGITS + 1]
    want = (soft_iou_loss(LOGITS, MASKS) + soft_iou_loss(LOGITS + 1, MASKS)) / 2
    torch.testing.assert_close(deep_supervision(soft_iou_loss, outputs, MASKS), want)
