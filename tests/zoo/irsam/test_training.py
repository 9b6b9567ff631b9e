"""The loss, the network and its gradients together: a short run on synthetic scenes has to learn to find targets."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from irsam_zoo.datasets import build_dataset
from irsam_zoo.zoo import build_method

STEPS = 200
BATCH = 4
# The recipe (1e-4, beta2 0.999) is meant for MobileSAM's weights. To leave the plateau of the soft IoU within 200 steps, random
# ones need a higher rate and a shorter memory of the edge term's large first gradients.
LEARNING_RATE = 5e-4
BETAS = (0.9, 0.99)


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
def test_200_steps_halve_the_loss_and_find_targets(one_thread):
    torch.manual_seed(0)
    det = build_method("irsam_256", weights=None)
    test_items = list(build_dataset("synthetic", subset="test"))
    before = intersection_over_union(det, test_items)
    images, masks = load("train", det.input_size)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(det.network.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    losses = []
    det.network.train()
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (BATCH,), generator=generator)
        batch, target = images[chosen], masks[chosen]
        if torch.rand((), generator=generator) < 0.5:
            batch, target = batch.flip(-1), target.flip(-1)
        terms = det.loss(det.forward(det.preprocess(batch)), target)
        loss = sum(terms.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append((loss.item(), terms["iou"].item()))
    after = intersection_over_union(det, test_items)
    first, last = losses[0], np.mean(losses[-20:], axis=0)
    print(
        f"loss {first[0]:.3f} -> {last[0]:.3f}, IoU term {first[1]:.3f} -> {last[1]:.3f}, test IoU {before:.4f} -> {after:.4f}"
    )
    assert last[0] < 0.5 * first[0]
    assert last[1] < 0.8 * first[1]
    assert after > before + 0.05  # 0.10 to 0.16, by how a processor rounds
