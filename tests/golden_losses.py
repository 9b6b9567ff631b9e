"""Comparison of a training loss with the stored values of its reference."""

import json

import numpy as np
import pytest
import torch

from tests.golden_networks import golden_path


def loss_arrays(name, *keys):
    """Stored arrays of the golden files as float64 tensors."""
    arrays = np.load(golden_path(name, ".npz"))
    return [torch.from_numpy(arrays[key]).double() for key in keys]


def check_loss(name, entry, loss, predictions):
    """Assert that a loss in float64, and its gradient by each prediction, are the reference's.

    Arguments:
        name: Stem of the golden files.
        entry: Of their ``losses``.
        loss: Function of the predictions to a scalar.
        predictions: Tensors of the arrays that the gradients are stored of, in that order.
    """
    want = json.loads(golden_path(name, ".json").read_text())["losses"][entry]
    predictions = [tensor.clone().requires_grad_() for tensor in predictions]
    value = loss(*predictions)
    assert value.item() == pytest.approx(want["float64"], rel=1e-9)
    norms = [gradient.norm().item() for gradient in torch.autograd.grad(value, predictions)]
    assert norms == pytest.approx(want["grad_l2"], rel=1e-9)
