"""Comparison of a training loss with the stored values of its reference."""

import numpy as np
import pytest
import torch

from tests.golden_networks import golden_path, reference_state


def check_loss(name, key, loss, masks="loss_target"):
    """Assert that a loss and its gradients are those of the reference, in float64.

    Arguments:
        name: Stem of the golden files, such as ``"rdian"``.
        key: Of the loss in ``losses`` of the json file.
        loss: Function of the list of stored predictions and of the stored masks that returns a scalar.
        masks: Name of the stored masks.

    Raises:
        AssertionError: The value, or the length of the gradient by one of the predictions, differs by more than rounding.
    """
    golden = reference_state(name)[0]["losses"][key]
    arrays = np.load(golden_path(name, ".npz"))
    stems = golden.get("logits") or golden["probabilities"]
    predictions = [torch.from_numpy(arrays[stem]).double().requires_grad_() for stem in stems]
    value = loss(predictions, torch.from_numpy(arrays[masks]).double())
    value.backward()
    gradients = [prediction.grad for prediction in predictions]
    if len(gradients) < len(golden["grad_l2"]):  # one array holds several maps
        gradients = gradients[0].unbind()
    assert value.item() == pytest.approx(golden["float64"], rel=1e-9)
    assert [gradient.norm().item() for gradient in gradients] == pytest.approx(golden["grad_l2"], rel=1e-9)
