import torch

from irsam_zoo.zoo._compat import import_segment_anything
from irsam_zoo.zoo.irsam.layer_norm import LayerNorm2d


def test_equal_to_segment_anything_in_value_and_gradient():
    import_segment_anything()
    from segment_anything.modeling.common import LayerNorm2d as Reference

    generator = torch.Generator().manual_seed(0)
    ours, reference = LayerNorm2d(5).double(), Reference(5).double()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(generator=generator)
    reference.load_state_dict(ours.state_dict())
    x = (1e-3 * torch.randn(2, 5, 3, 4, generator=generator, dtype=torch.float64)).requires_grad_()
    weight = torch.randn(2, 5, 3, 4, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(ours(x), reference(x))
    grads = [torch.autograd.grad((layer(x) * weight).sum(), [x, layer.weight, layer.bias]) for layer in (ours, reference)]
    torch.testing.assert_close(*grads)
    assert ours.eps == reference.eps
