import pytest
import torch

from irsam_zoo.zoo import build_method
from tests.golden_losses import check_loss
from tests.golden_networks import check_network, reference_state


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return build_method("sctransnet", weights=None)


def test_outputs_parameters_and_keys_are_the_reference():
    method = build_method("sctransnet", weights=None)
    assert method.num_parameters == 11_325_939
    assert set(method.network.state_dict()) == set(reference_state("sctransnet")[1])
    for dtype in (torch.float64, torch.float32):
        check_network("sctransnet", method.network, dtype=dtype)


def test_probabilities_are_the_sigmoid_of_the_logits(detector):
    x = torch.randn(1, 1, 16, 32)
    with torch.inference_mode():
        probabilities, logits = detector.network(x), detector.forward(x)
    assert len(logits) == 6
    for probability, logit in zip(probabilities, logits, strict=True):
        torch.testing.assert_close(probability, logit.sigmoid())
    assert detector.logits(logits) is logits[-1]


def test_loss_is_the_reference(detector):
    def loss(predictions, masks):
        maps = predictions[0].unbind()
        assert maps[0].eq(0).any()  # where the logarithm is cut
        return sum(detector.loss([Exact(p) for p in maps], masks).values())

    check_loss("sctransnet", "author", loss)


class Exact:
    """Stands for the logit of a probability that has none: 0 and 1 too come back as they were, with their gradients."""

    def __init__(self, probability):
        self.probability = probability

    def sigmoid(self):
        return self.probability


def test_native_images_are_continued_by_zeros(detector):
    inputs = detector.preprocess(torch.full((1, 1, 33, 60), 100.0))
    assert inputs.shape == (1, 1, 64, 64)
    torch.testing.assert_close(inputs[0, 0, :33, :60], torch.full((33, 60), (100 - 101.06385) / 34.619606))
    assert not inputs[..., 33:, :].any()
    assert not inputs[..., 60:].any()


def test_start(detector):
    network = detector.network
    assert float(network.up_decoder4.nConvs[0].conv.weight.detach().std()) == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)
    assert float(network.mtc.encoder.layer[0].channel_attn.mheadk.weight.detach().std()) == pytest.approx(
        (2 / 480) ** 0.5, rel=0.01
    )
    assert float(network.inc[0].bn1.weight.detach().std()) == pytest.approx(0.02, rel=0.4)


def test_exactly_the_embeddings_and_head_weights_do_not_learn(detector):
    method = build_method("sctransnet", weights=None)
    method.network.train()
    outputs = method.forward(torch.randn(2, 1, 32, 32))
    sum(method.loss(outputs, torch.ones(2, 1, 32, 32)).values()).backward()
    silent = {name: parameter for name, parameter in method.network.named_parameters() if parameter.grad is None}
    assert all("position_embeddings" in name or "_attn" in name.split(".")[-1] for name in silent)
    assert sum(parameter.numel() for parameter in silent.values()) == 122_944
