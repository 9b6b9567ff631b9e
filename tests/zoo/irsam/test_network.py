import pytest
import torch

from irsam_zoo.zoo.irsam.network import IRSAMNetwork
from tests.golden_networks import reference_state

PAPER = 12.33e6  # Table 1 of the paper


def grey(batch, height, width):
    generator = torch.Generator().manual_seed(0)
    return (255 * torch.rand(batch, 1, height, width, generator=generator)).expand(-1, 3, -1, -1)


def test_parameters_with_and_without_the_unused_head():
    network = IRSAMNetwork()
    with_head = sum(parameter.numel() for parameter in network.parameters())
    assert network.num_parameters() == with_head - (1000 * 320 + 1000 + 2 * 320) == 12_315_906
    assert abs(network.num_parameters() / PAPER - 1) < 0.005
    assert abs(with_head / PAPER - 1) > 0.02
    released = IRSAMNetwork(granularity="deep", wpmd=False)
    assert sum(parameter.numel() for parameter in released.parameters()) == 10_578_604


@pytest.mark.parametrize("enlarge", [1, 2])
def test_closed_gates_leave_the_network_as_it_was_without_the_block(enlarge):
    state = reference_state("irsam_released")[1]
    plain = IRSAMNetwork(wpmd=False, enlarge=enlarge).eval()
    plain.load_state_dict(state)
    full = IRSAMNetwork(enlarge=enlarge).eval()
    missing, unexpected = full.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(key.startswith("wpmd.") for key in missing)
    image = grey(1, 48, 64)
    with torch.inference_mode():
        torch.testing.assert_close(full(image), plain(image), rtol=0, atol=0)
        for gate in full.wpmd.gates:
            gate.fill_(1.0)
        assert (full(image)[0] - plain(image)[0]).abs().max() > 1e-3


@pytest.mark.parametrize(("enlarge", "size"), [(1, (64, 80)), (2, (32, 40)), (2, (24, 56))])
@pytest.mark.parametrize("granularity", ["both", "none"])
def test_any_multiple_of_the_stride(enlarge, size, granularity):
    network = IRSAMNetwork(enlarge=enlarge, granularity=granularity).eval()
    with torch.inference_mode():
        mask, edge = network(grey(2, *size))
    assert mask.shape == (2, 1, *size)
    assert mask.isfinite().all()
    if granularity == "none":
        assert edge is None
    else:
        assert edge.shape == mask.shape
        assert edge.min() >= 0
        assert edge.max() <= 1


def test_a_batch_is_its_images():
    network = IRSAMNetwork(enlarge=1).eval()
    batch = grey(3, 64, 48)
    with torch.inference_mode():
        together = network(batch)
        alone = [network(image[None]) for image in batch]
    for index in (0, 1):
        torch.testing.assert_close(together[index], torch.cat([outputs[index] for outputs in alone]), rtol=0, atol=1e-5)


def test_enlarging_inside_equals_enlarging_outside():
    inside, outside = IRSAMNetwork(wpmd=False).eval(), IRSAMNetwork(wpmd=False, enlarge=1).eval()
    outside.load_state_dict(inside.state_dict())
    decoded = []
    for network in (inside, outside):
        network.mask_decoder.register_forward_hook(lambda module, inputs, outputs: decoded.append(outputs))
    image = grey(1, 32, 48)
    with torch.inference_mode():
        inside(image)
        outside(image.repeat_interleave(2, -1).repeat_interleave(2, -2))
    assert decoded[0][0].shape == (1, 1, 16, 24)
    torch.testing.assert_close(decoded[0], decoded[1], rtol=0, atol=1e-5)


def test_every_used_parameter_learns():
    network = IRSAMNetwork(enlarge=1).train()
    with torch.no_grad():
        for gate in network.wpmd.gates:
            gate.fill_(0.1)
        for block in network.image_encoder.layers[0].blocks:
            block.conv3.bn.weight.fill_(0.5)
    mask, edge = network(grey(2, 64, 64))
    (mask.square().mean() + edge.mean()).backward()
    still = {key for key, parameter in network.named_parameters() if parameter.grad is None}
    parts = {".".join(key.split(".")[:2]) for key in still}
    assert parts == {
        "image_encoder.norm_head",
        "image_encoder.head",
        "prompt_encoder.point_embeddings",
        "prompt_encoder.not_a_point_embed",
        "prompt_encoder.mask_downscaling",
        "mask_decoder.iou_prediction_head",
        "mask_decoder.output_hypernetworks_mlps",
    }
    assert not any(key.startswith("mask_decoder.output_hypernetworks_mlps.0.") for key in still)
