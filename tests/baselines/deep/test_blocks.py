import math

import pytest
import torch
import torch.nn.functional as F

from irsam_zoo.baselines.deep.parts.blocks import FCNHead, ResBlock, channel_attention, init_msra_prelu, res_stage


def norm(x, bn):
    return F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=1e-5)


@pytest.mark.parametrize(("channels", "stride"), [((4, 4), 1), ((4, 6), 1), ((4, 4), 2), ((4, 6), 2)])
def test_residual_block_is_two_convolutions_and_a_shortcut(channels, stride):
    block = ResBlock(*channels, stride).eval()
    state = block.state_dict()
    for key in state:
        if state[key].is_floating_point():
            state[key].uniform_(0.1, 1.0)
    x = torch.randn(2, 4, 8, 10)
    first = torch.relu(norm(F.conv2d(x, state["body.0.weight"], None, stride, 1), block.body[1]))
    second = norm(F.conv2d(first, state["body.3.weight"], None, 1, 1), block.body[4])
    shortcut = x
    if "downsample.0.weight" in state:
        shortcut = norm(F.conv2d(x, state["downsample.0.weight"], None, stride), block.downsample[1])
    assert ("downsample.0.weight" in state) == (stride != 1 or channels[0] != channels[1])
    torch.testing.assert_close(block(x), torch.relu(second + shortcut))


def test_a_residual_block_leaves_its_input_alone():
    x = torch.randn(1, 4, 8, 8)
    before = x.clone()
    ResBlock(4, 4).eval()(x)
    assert torch.equal(x, before)


def test_a_stage_changes_size_and_channels_once():
    stage = res_stage(3, 4, 8, 2)
    assert stage(torch.zeros(1, 4, 16, 12)).shape == (1, 8, 8, 6)
    assert len(stage) == 3
    assert [name for name, _ in stage.named_parameters() if "downsample" in name] == [
        "0.downsample.0.weight",
        "0.downsample.1.weight",
        "0.downsample.1.bias",
    ]


def test_head_has_a_quarter_of_the_channels_inside():
    head = FCNHead(16, 2)
    shapes = {key: tuple(value.shape) for key, value in head.named_parameters()}
    assert shapes["block.0.weight"] == (4, 16, 3, 3)
    assert shapes["block.4.weight"] == (2, 4, 1, 1)
    assert head(torch.zeros(1, 16, 5, 7)).shape == (1, 2, 5, 7)
    assert head.block[3].p == 0.1


@pytest.mark.parametrize(("pooled", "size"), [(True, (1, 1)), (False, (6, 5))])
def test_channel_attention_weighs_the_map_or_each_pixel(pooled, size):
    attention = channel_attention(8, 2, pooled=pooled).eval()
    x = torch.randn(2, 8, 6, 5)
    weights = attention(x)
    assert weights.shape == (2, 8, *size)
    assert 0 < weights.min() < weights.max() < 1
    moved = x.roll((1, 2), (2, 3))  # pooled weights do not see positions; the others follow them
    torch.testing.assert_close(attention(moved), weights if pooled else weights.roll((1, 2), (2, 3)))


def test_initialisation_has_the_variance_of_mxnet():
    torch.manual_seed(0)
    convolution, transposed = torch.nn.Conv2d(64, 128, 3), torch.nn.ConvTranspose2d(64, 32, 4)
    init_msra_prelu(torch.nn.Sequential(convolution, transposed))
    assert convolution.weight.std().item() == pytest.approx(math.sqrt(2 / 1.0625 / (9 * 96)), rel=0.02)
    assert transposed.weight.std().item() == pytest.approx(math.sqrt(2 / 1.0625 / (16 * 48)), rel=0.02)
    assert not convolution.bias.any()
    assert not transposed.bias.any()
