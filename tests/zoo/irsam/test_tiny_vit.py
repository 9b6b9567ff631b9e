import numpy as np
import pytest
import torch
from torch.nn import functional as F

from irsam_zoo.zoo.irsam.tiny_vit import Attention, TinyViT, TinyViTBlock
from tests.golden_networks import TOLERANCE, fill, golden_path, reference_state


@pytest.fixture(scope="module")
def state():
    return reference_state("mobilesam_tinyvit")[1]


@pytest.fixture(scope="module")
def encoder(state):
    network = TinyViT().eval()
    network.load_state_dict(state)
    return network


def images(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_golden_encoder_at_1024(encoder, one_thread):
    meta, _ = reference_state("mobilesam_tinyvit")
    golden = np.load(golden_path("mobilesam_tinyvit", ".npz"))
    stages = {}
    hooks = [
        layer.register_forward_hook(lambda module, inputs, output, index=index: stages.update({index: output}))
        for index, layer in enumerate(encoder.layers)
    ]
    with torch.inference_mode():
        embedding, shallow = encoder(torch.from_numpy(fill.make_input(meta["inputs"]["input0"])))
    for hook in hooks:
        hook.remove()
    tokens = {index: output.flatten(2).transpose(1, 2) for index, output in stages.items()}
    found = {
        "output0": embedding[:, ::4],
        "mid0_layers.0": tokens[0][:, ::64, ::16],
        "mid0_layers.1": tokens[1][:, ::16, ::20],
        "mid0_layers.2": tokens[2][:, ::16, ::40],
    }
    for key, value in found.items():
        assert np.abs(value.numpy() - golden[key]).max() < TOLERANCE * golden[key].std(), key
    torch.testing.assert_close(shallow, stages[1])


def test_the_keys_are_those_of_mobilesam(state):
    own = TinyViT().state_dict()
    assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in state.items()}


@pytest.mark.parametrize(("height", "width"), [(16, 16), (48, 112), (256, 176)])
def test_any_multiple_of_16(encoder, height, width):
    with torch.inference_mode():
        embedding, shallow = encoder(images(2, 3, height, width))
    assert embedding.shape == (2, 256, height // 16, width // 16)
    assert shallow.shape == (2, 160, height // 16, width // 16)
    assert embedding.isfinite().all()


def test_other_sizes_are_refused(encoder):
    with pytest.raises(ValueError, match="multiples of 16"):
        encoder(images(1, 3, 64, 72))


def test_a_batch_is_its_images(encoder):
    batch = images(3, 3, 64, 96)
    with torch.inference_mode():
        together, _ = encoder(batch)
        alone = torch.cat([encoder(image[None])[0] for image in batch])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


def test_attention_biases_are_fresh_after_loading_in_eval_mode(state, encoder):
    late = TinyViT().eval()
    with torch.inference_mode():
        late(images(1, 3, 32, 32))
        late.load_state_dict(state)
        torch.testing.assert_close(late(images(1, 3, 64, 64))[0], encoder(images(1, 3, 64, 64))[0], rtol=0, atol=0)


def test_attention_against_its_definition():
    attention = Attention(8, 2, 3).double()
    torch.nn.init.normal_(attention.attention_biases)
    x = images(1, 9, 8, seed=3).double()
    qkv = attention.qkv(F.layer_norm(x, (8,), eps=1e-5))[0].reshape(9, 2, 12)
    heads = []
    for head in range(2):
        query, key, value = qkv[:, head].split(4, dim=-1)
        logits = torch.empty(9, 9, dtype=torch.float64)
        for a in range(9):
            for b in range(9):
                offset = 3 * abs(a // 3 - b // 3) + abs(a % 3 - b % 3)
                logits[a, b] = query[a] @ key[b] / 2 + attention.attention_biases[head, offset]
        heads.append(logits.softmax(-1) @ value)
    torch.testing.assert_close(attention(x)[0], attention.proj(torch.cat(heads, dim=-1)))


def test_windows_are_filled_up_with_tokens_that_are_attended_to():
    block = TinyViTBlock(8, 2, 4).eval()
    x = images(1, 6, 5, 8, seed=4)
    padded = F.pad(x, (0, 0, 0, 3, 0, 2))
    with torch.inference_mode():
        result = block.attend(x)
        corner = block.attn(padded[:, 4:, 4:].reshape(1, 16, 8)).view(4, 4, 8)
    torch.testing.assert_close(result[0, 4:6, 4], corner[:2, 0])


def test_structure_is_added_to_the_inputs_of_the_stages(encoder):
    x = images(1, 3, 64, 64)
    shapes = [(1, 64, 16, 16), (1, 128, 8, 8), (1, 160, 4, 4), (1, 320, 4, 4)]
    with torch.inference_mode():
        plain, shallow = encoder(x)
        unchanged, _ = encoder(x, [torch.zeros(shape) for shape in shapes])
        torch.testing.assert_close(unchanged, plain, rtol=0, atol=0)
        for index in range(4):
            structure = [torch.full(shape, float(k == index)) for k, shape in enumerate(shapes)]
            moved, moved_shallow = encoder(x, structure)
            assert (moved - plain).abs().max() > 1e-3
            assert bool((moved_shallow - shallow).abs().max() > 1e-3) == (index < 3)
