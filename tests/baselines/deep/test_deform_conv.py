import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from irsam_zoo.baselines.deep.parts import deform_conv
from irsam_zoo.baselines.deep.parts.deform_conv import ModulatedDeformConv2d, deform_conv2d
from tests.oracles import deform_conv as oracle

find_operator = deform_conv._torchvision_operator
GEOMETRIES = [  # kernel, stride, padding, dilation, image
    ((3, 3), (1, 1), (1, 1), (1, 1), (7, 9)),
    ((3, 1), (1, 1), (1, 0), (1, 1), (8, 6)),
    ((1, 3), (1, 1), (0, 1), (1, 1), (6, 8)),
    ((3, 2), (2, 1), (0, 3), (1, 2), (9, 7)),
    ((2, 3), (1, 3), (2, 1), (3, 1), (8, 11)),
    ((1, 1), (1, 1), (0, 0), (1, 1), (5, 5)),
]


@pytest.fixture(autouse=True)
def plain_torch(monkeypatch):
    monkeypatch.setattr(deform_conv, "_torchvision_operator", lambda: None)


def random_case(geometry, scale, dtype=torch.float64):
    kernel, stride, padding, dilation, image = geometry
    generator = torch.Generator().manual_seed(7)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    x, weight, bias = normal(2, 3, *image), normal(4, 3, *kernel), normal(4)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    plain = conv2d(x, weight, bias, **options)
    taps = kernel[0] * kernel[1]
    offset = scale * normal(2, 2 * taps, *plain.shape[2:])
    mask = normal(2, taps, *plain.shape[2:]).sigmoid()
    return x, offset, weight, bias, mask, options, plain


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_without_offsets_it_is_a_convolution(geometry):
    for dtype, tolerance in ((torch.float64, 1e-13), (torch.float32, 1e-5)):
        x, offset, weight, bias, _, options, plain = random_case(geometry, 0.0, dtype)
        torch.testing.assert_close(deform_conv2d(x, offset, weight, bias, **options), plain, rtol=0, atol=tolerance)
        half = torch.full_like(offset[:, ::2], 0.5)
        masked = deform_conv2d(x, offset, weight, bias, mask=half, **options)
        torch.testing.assert_close(masked - bias[:, None, None], (plain - bias[:, None, None]) / 2, rtol=0, atol=tolerance)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("scale", [0.7, 6.0])
def test_random_offsets_against_the_definition(geometry, scale):
    x, offset, weight, bias, mask, options, _ = random_case(geometry, scale)
    arrays = [tensor.numpy() for tensor in (x, offset, weight, bias)]
    for factor in (None, mask):
        want = oracle.deform_conv2d(*arrays, mask=None if factor is None else factor.numpy(), **options)
        got = deform_conv2d(x, offset, weight, bias, mask=factor, **options)
        np.testing.assert_allclose(got.numpy(), want, rtol=0, atol=1e-12)


def test_whole_pixel_offsets_read_exactly_that_pixel():
    x = torch.rand(1, 1, 6, 6)
    offset = torch.zeros(1, 2, 6, 6)
    offset[:, 0], offset[:, 1] = 1, -2
    moved = deform_conv2d(x, offset, torch.ones(1, 1, 1, 1))
    assert torch.equal(moved[0, 0, :5, 2:], x[0, 0, 1:, :4])
    assert (moved[0, 0, 5] == 0).all()
    assert (moved[0, 0, :, :2] == 0).all()


def test_offsets_far_outside_or_not_finite_read_zero():
    x, offset, weight, bias, _, options, _ = random_case(GEOMETRIES[0], 0.0)
    for value in (1e9, -1e9, float("inf"), float("nan")):
        out = deform_conv2d(x, torch.full_like(offset, value), weight, bias, **options)
        torch.testing.assert_close(out, bias[None, :, None, None].expand_as(out))


def test_half_precision_fields_are_added_to_positions_in_single():
    x, weight = torch.arange(400.0).repeat(1, 1, 1, 1) / 64, torch.ones(1, 1, 1, 1)
    offset = torch.zeros(1, 2, 1, 400)
    offset[:, 1] = 0.25
    whole = deform_conv2d(x, offset, weight)
    half = deform_conv2d(x.half(), offset.half(), weight.half())
    assert half.dtype == torch.half
    torch.testing.assert_close(half[..., :399].float(), whole[..., :399], rtol=1e-3, atol=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer = ModulatedDeformConv2d(3, 2, 3, padding=1)
        assert layer(torch.rand(1, 3, 8, 8)).isfinite().all()


def test_gradients():
    kernel, stride, padding, dilation = (2, 2), (1, 2), (1, 0), (1, 1)
    x, offset, weight, bias, mask, options, _ = random_case((kernel, stride, padding, dilation, (4, 5)), 0.8)
    inputs = [tensor[:1].clone().requires_grad_() if tensor.ndim == 4 else tensor.clone().requires_grad_() for tensor in
              (x, offset, weight, bias, mask)]  # fmt: skip

    def run(x, offset, weight, bias, mask):
        return deform_conv2d(x, offset, weight, bias[:1], mask=mask, **options)

    assert torch.autograd.gradcheck(run, inputs, eps=1e-6, atol=1e-6)


def test_a_tap_on_the_outer_border_has_no_gradient_for_its_offset():
    offset = torch.zeros(1, 2, 3, 3, requires_grad=True)
    deform_conv2d(torch.ones(1, 1, 1, 1), offset, torch.ones(1, 1, 1, 1), padding=1).sum().backward()
    assert offset.grad[0, :, 0].eq(0).all()
    assert offset.grad[0, :, 2].eq(0).all()


def test_a_field_of_the_wrong_shape_is_refused():
    x, offset, weight, bias, mask, options, _ = random_case(GEOMETRIES[0], 0.0)
    with pytest.raises(ValueError, match=r"offset has shape .* expected \(2, 18, 7, 9\)"):
        deform_conv2d(x, offset[:, :, 1:], weight, bias, **options)
    with pytest.raises(ValueError, match="mask has shape"):
        deform_conv2d(x, offset, weight, bias, mask=mask[:, 1:], **options)


def test_the_module_starts_as_half_a_convolution_and_is_moved_by_its_predictor():
    torch.manual_seed(0)
    layer = ModulatedDeformConv2d(4, 5, (3, 1), padding=(1, 0))
    assert {key: tuple(value.shape) for key, value in layer.state_dict().items()} == {
        "weight": (5, 4, 3, 1),
        "bias": (5,),
        "conv_offset_mask.weight": (9, 4, 3, 1),
        "conv_offset_mask.bias": (9,),
    }
    x = torch.rand(2, 4, 6, 7)
    plain = conv2d(x, layer.weight, padding=(1, 0)) / 2  # zero offsets, masks of sigmoid(0)
    torch.testing.assert_close(layer(x), plain)
    # One bias of the predictor moves the middle tap one row down for every pixel.
    layer.conv_offset_mask.bias.data[2] = 1.0
    rolled = torch.nn.functional.pad(x, (0, 0, 1, 2))
    taps = torch.stack([rolled[:, :, :6], rolled[:, :, 2:8], rolled[:, :, 2:8]], dim=2)
    want = torch.einsum("bckhw,ock->bohw", taps, layer.weight[..., 0]) / 2
    torch.testing.assert_close(layer(x), want)


@pytest.fixture
def torchvision_is_used(monkeypatch):
    monkeypatch.setattr(deform_conv, "_torchvision_operator", find_operator)
    find_operator.cache_clear()
    yield
    find_operator.cache_clear()


def test_torchvision_operator_gets_every_argument(monkeypatch, torchvision_is_used):
    calls = []

    def operator(*args, **kwargs):
        calls.append((args, kwargs))
        return "result"

    package, ops = ModuleType("torchvision"), ModuleType("torchvision.ops")
    package.ops, ops.deform_conv2d = ops, operator
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.ops", ops)
    x, offset, weight, bias, mask, options, _ = random_case(GEOMETRIES[4], 1.0)
    assert deform_conv2d(x, offset, weight, bias, mask=mask, **options) == "result"
    ((positional, named),) = calls
    assert [a is b for a, b in zip(positional, (x, offset, weight, bias), strict=True)] == [True] * 4
    assert named.pop("mask") is mask
    assert named == {"stride": (1, 3), "padding": (2, 1), "dilation": (3, 1)}


def test_torchvision_operator_agrees(torchvision_is_used):
    pytest.importorskip("torchvision", reason="torchvision is not installed", exc_type=ImportError)
    x, offset, weight, bias, mask, options, _ = random_case(GEOMETRIES[3], 1.5)
    compiled = find_operator()(x, offset, weight, bias, mask=mask, **options)
    find_operator.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deform_conv, "_torchvision_operator", lambda: None)
        torch.testing.assert_close(deform_conv2d(x, offset, weight, bias, mask=mask, **options), compiled)
