import copy

import numpy as np
import pytest
import torch

from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo._compat import import_segment_anything
from irsam_zoo.zoo.irsam.decoder import MaskDecoder
from irsam_zoo.zoo.irsam.network import IRSAMNetwork
from irsam_zoo.zoo.irsam.prompt_encoder import PromptEncoder
from tests.golden_networks import TOLERANCE, fill, golden_path, reference_state

RELEASED = "irsam_released"
SHALLOW_DEEP = "irsam_shallow_deep"


@pytest.fixture(scope="module")
def state():
    return reference_state(RELEASED)[1]


def random_inputs(batch=2, height=5, width=7):
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, 256, height, width), (batch, 160, height, width), (1, 256, 1, 1), (1, 256, height, width)]
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_both_golden_decoders_on_one_pass_of_the_golden_encoder(state, one_thread):
    """As released, and with the shallow branch that the release leaves commented out; the encoder runs once for both."""
    meta, _ = reference_state(RELEASED)
    network = IRSAMNetwork(granularity="deep", wpmd=False).eval()
    network.load_state_dict(state)
    image = torch.from_numpy(fill.make_input(meta["inputs"]["input0"])).unsqueeze(0)
    inner = {}
    names = ("image_encoder", "mask_decoder", "mask_decoder.embedding_encoder", "mask_decoder.compress_vit_feat")
    for name in names:
        network.get_submodule(name).register_forward_hook(lambda module, inputs, out, name=name: inner.update({name: out}))
    with torch.inference_mode():
        released = network(image)
        assert "mask_decoder.compress_vit_feat" not in inner
        features = inner["image_encoder"]
        found = {
            "mid0_image_encoder_0": features[0][:, ::32, ::4, ::4],
            "mid0_image_encoder_1": features[1].permute(0, 2, 3, 1)[:, ::4, ::4, ::40],
            "mid0_prompt_encoder.pe_layer": network.prompt_encoder.dense(64, 64)[1][0, ::16, ::8, ::8],
            "mid0_mask_decoder.embedding_encoder": inner["mask_decoder.embedding_encoder"][:, ::8, ::17, ::17],
        }
        compare(RELEASED, released, inner["mask_decoder"], found)

        network.mask_decoder.granularity = "both"
        network.image_encoder.forward = lambda x, structure=None: features
        both = network(image)
        found = {"mid0_mask_decoder.compress_vit_feat": inner["mask_decoder.compress_vit_feat"][:, ::8, ::17, ::17]}
        compare(SHALLOW_DEEP, both, inner["mask_decoder"], found)


def compare(name, outputs, small, found):
    golden = np.load(golden_path(name, ".npz"))
    found = {**found, "output0_0": outputs[0], "output0_1": outputs[1]}
    found |= {f"mid0_mask_decoder_{index}": small[index][:, :, ::5, ::5] for index in (0, 1)}
    for key, value in found.items():
        assert value.shape == golden[key].shape, key
        assert np.abs(value.numpy() - golden[key]).max() < TOLERANCE * golden[key].std(), f"{name} {key}"


@pytest.mark.parametrize("granularity", ["both", "deep"])
def test_the_keys_are_the_465_of_the_release(granularity, state):
    own = IRSAMNetwork(granularity=granularity, wpmd=False).state_dict()
    assert len(own) == 465
    assert {key: value.shape for key, value in own.items()} == {key: value.shape for key, value in state.items()}


def test_without_edges_it_is_the_mask_decoder_of_segment_anything():
    modeling = import_segment_anything()
    transformer = modeling.TwoWayTransformer(depth=2, embedding_dim=256, num_heads=8, mlp_dim=2048)
    reference = modeling.MaskDecoder(transformer_dim=256, transformer=transformer).eval()
    ours = MaskDecoder(granularity="none").eval()
    ours.load_state_dict(reference.state_dict())
    embedding, shallow, no_mask, position = random_inputs(batch=1)
    with torch.inference_mode():
        mask, edge = ours(embedding, shallow, no_mask, position)
        expected, _ = reference(
            image_embeddings=embedding,
            image_pe=position,
            sparse_prompt_embeddings=torch.zeros(1, 0, 256),
            dense_prompt_embeddings=no_mask.expand_as(embedding),
            multimask_output=False,
        )
    assert edge is None
    torch.testing.assert_close(mask, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("granularity", ["both", "deep"])
def test_a_batch_is_its_images(granularity):
    decoder = MaskDecoder(granularity=granularity).eval()
    embedding, shallow, no_mask, position = random_inputs(batch=3)
    with torch.inference_mode():
        mask, edge = decoder(embedding, shallow, no_mask, position)
        for index in range(3):
            one = slice(index, index + 1)
            alone = decoder(embedding[one], shallow[one], no_mask, position)
            torch.testing.assert_close((mask[one], edge[one]), alone, rtol=0, atol=1e-5)
    assert mask.shape == edge.shape == (3, 1, 20, 28)
    assert (mask[0] - mask[1]).abs().max() > 1e-3


@pytest.mark.parametrize(("granularity", "depends"), [("both", True), ("deep", False)])
def test_shallow_features_count_only_where_they_should(granularity, depends):
    decoder = MaskDecoder(granularity=granularity).eval()
    embedding, shallow, no_mask, position = random_inputs()
    with torch.inference_mode():
        _, edge = decoder(embedding, shallow, no_mask, position)
        _, other = decoder(embedding, 2 * shallow, no_mask, position)
    assert bool((edge - other).abs().max() > 1e-4) == depends


def test_an_unknown_granularity_is_refused():
    with pytest.raises(UsageError, match="both, deep, none"):
        MaskDecoder(granularity="shallow")


def reference_encoding(prompt, height, width):
    return prompt.pe_layer((height, width)).unsqueeze(0)


def test_the_position_encoding_is_that_of_segment_anything_and_never_stale():
    prompt, other = PromptEncoder(), PromptEncoder()
    _, position = prompt.dense(6, 9)
    torch.testing.assert_close(position, reference_encoding(prompt, 6, 9), rtol=0, atol=1e-5)
    assert prompt.dense(6, 9)[1] is position
    torch.testing.assert_close(prompt.dense(9, 6)[1], reference_encoding(prompt, 9, 6), rtol=0, atol=1e-5)

    prompt.load_state_dict(other.state_dict())
    torch.testing.assert_close(prompt.dense(9, 6)[1], reference_encoding(other, 9, 6), rtol=0, atol=1e-5)

    copied = copy.deepcopy(prompt)
    copied.load_state_dict(PromptEncoder().state_dict())
    torch.testing.assert_close(copied.dense(9, 6)[1], reference_encoding(copied, 9, 6), rtol=0, atol=1e-5)
    assert prompt.double().dense(9, 6)[1].dtype == torch.float64


def test_a_position_encoding_kept_from_inference_serves_training():
    decoder, prompt = MaskDecoder(), PromptEncoder()
    with torch.inference_mode():
        prompt.dense(5, 7)
    embedding, shallow, _, _ = random_inputs()
    mask, edge = decoder(embedding, shallow, *prompt.dense(5, 7))
    (mask.mean() + edge.mean()).backward()
    assert prompt.no_mask_embed.weight.grad.abs().sum() > 0
