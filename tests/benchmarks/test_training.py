"""The training loader beside the step that it feeds."""

import itertools
import time

import pytest
import torch

from irsam_zoo.datasets import build_dataset
from irsam_zoo.training.data import SeededBatches, TrainingSet, training_loader
from irsam_zoo.training.model import TrainingModel
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo import build_method

BATCHES = 10


@pytest.mark.parametrize(("method", "schedule"), [("acmnet", "short"), ("acmnet", "paper"), ("irsam", "paper")])
def test_loader(benchmark, method, schedule):
    """One batch of a method's own augmentation from one process; its images a second, and as a part of a step's time."""
    detector = build_method(method, weights=None)
    recipe = load_recipe(method, schedule, input_size=detector.input_size)
    dataset = build_dataset("synthetic", subset="train")
    samples = TrainingSet(dataset, dataset.ids, recipe.augmentations(), seed=0)
    batches = iter(training_loader(samples, SeededBatches(len(samples), recipe.batch_size, seed=0), workers=0))
    batch = next(batches)
    benchmark.pedantic(lambda: list(itertools.islice(batches, BATCHES)), rounds=5)
    loading = benchmark.stats.stats.median / BATCHES
    model = TrainingModel(detector).train()
    inputs, masks = (value[:2] for value in (batch["inputs"], batch["masks"]))  # two images stand for a batch of them
    start = time.perf_counter()
    sum(model(inputs, masks).values()).backward()
    step = (time.perf_counter() - start) * recipe.batch_size / len(inputs)
    benchmark.extra_info["images a second"] = round(recipe.batch_size / loading)
    benchmark.extra_info["step over loading"] = round(step / loading, 1)
    assert torch.isfinite(next(model.parameters()).grad).all()
    assert loading < step
