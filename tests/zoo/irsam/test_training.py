"""The loss, the network and its gradients together: a short run on synthetic scenes has to learn to find targets."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from datasets import build_dataset
from zoo import build_method

STEPS = 200
BATCH = 4
# Ten times the recipe's, which is meant for MobileSAM's weights: random ones stay on the plateau of the soft IoU with 1e-4.
LEARNING_RATE = 1e-3


def load(subset, side):
    """Grey levels and masks of a subset of `synthetic`, Nx1xSxS."""
    items = list(build_dataset("synthetic", subset=subset))
    images = [torch.from_numpy(item["image"]).float()[None, None] for item in items]
    masks = [torch.from_numpy(item["mask"]).float()[None, None] for item in items]
    images = [F.interpolate(image, (side, side), mode="bilinear", align_corners=False) for image in images]
    masks = [F.interpolate(mask, (side, side), mode="nearest") for mask in masks]
    return torch.cat(images), torch.cat(masks)


def intersection_over_union(det, items):
    pairs = [(det.segment(item["image"]), item["mask"]) for item in items]
    return sum(np.sum(found & mask) for found, mask in pairs) / sum(np.sum(found | mask) for found, mask in pairs)


@pytest.mark.slow  # minutes: 200 steps of a 12 M parameter network on the CPU
def test_200_steps_halve_the_loss_and_find_targets():
    torch.manual_seed(0)
    det = build_method("irsam_256")
    test_items = list(build_dataset("synthetic", subset="test"))
    before = intersection_over_union(det, test_items)
    images, masks = load("train", det.input_size)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(det.network.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    losses = []
    det.network.train()
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (BATCH,), generator=generator)
        batch, target = images[chosen], masks[chosen]
        if torch.rand((), generator=generator) < 0.5:
            batch, target = batch.flip(-1), target.flip(-1)
        loss = sum(det.loss(det.forward(det.preprocess(batch)), target).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    after = intersection_over_union(det, test_items)
    first, last = np.mean(losses[:10]), np.mean(losses[-10:])
    print(f"loss {first:.3f} -> {last:.3f}; test IoU {before:.4f} -> {after:.4f}")
    assert last < 0.5 * first
    assert after > before + 0.1
