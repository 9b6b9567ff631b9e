import re

import pytest
import torch

from irsam_zoo import ROOT
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.irsam import IRSAM, IRSAMNetwork, load_sam_weights
from irsam_zoo.zoo.reading import sha256_file


@pytest.fixture
def network():
    return IRSAMNetwork(enlarge=1)


def own_parts(key):
    edge = ("edge_token", "edge_mlp", "compress_vit_feat", "embedding_encoder", "embedding_maskfeature")
    return key.startswith(("wpmd.", "prompt_encoder.pe_layer_2", *(f"mask_decoder.{part}" for part in edge)))


def shifted(network, keys):
    return {key: value + 1 for key, value in network.state_dict().items() if keys(key)}


def test_a_mobilesam_checkpoint_fills_everything_but_irsams_own_parts(network, tmp_path):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    weights = shifted(network, lambda key: not own_parts(key))
    weights["image_encoder.layers.1.blocks.0.attn.attention_bias_idxs"] = torch.zeros(49, 49, dtype=torch.int64)
    torch.save(weights, tmp_path / "mobile_sam.pt")
    report = load_sam_weights(network, tmp_path / "mobile_sam.pt")

    assert set(report.loaded) == {key for key in before if not own_parts(key)}
    assert set(report.missing) == {key for key in before if own_parts(key)}
    assert report.left == ("image_encoder.layers.1.blocks.0.attn.attention_bias_idxs",)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key] if own_parts(key) else before[key] + 1, rtol=0, atol=0)
    told = (ROOT / "docs" / "irsam.md").read_text(encoding="utf-8")
    fresh = [str(sum(key.startswith(part) for key in report.missing)) for part in ("wpmd.", "mask_decoder.", "prompt_")]
    assert f"MobileSAM has {len(report.loaded)} of the {len(before)} tensors of `irsam`" in told
    counts = re.search(r"wavelet block \((\d+)\), .*edge branch \((\d+)\) .*branch \((\d+)\)", told)
    assert [*counts.groups()] == fresh
    text = str(report)
    assert f"{len(report.loaded)} tensors loaded" in text
    assert "mask_decoder.edge_mlp (6)" in text
    assert "\n" not in text


def test_segment_anything_with_another_encoder_fills_prompts_and_decoder(network, tmp_path):
    weights = shifted(network, lambda key: not own_parts(key) and not key.startswith("image_encoder."))
    weights["image_encoder.patch_embed.proj.weight"] = torch.zeros(1280, 3, 16, 16)
    weights["image_encoder.neck.0.weight"] = torch.zeros(256, 1280, 1, 1)  # our name, another shape
    torch.save(weights, tmp_path / "sam.pth")
    report = load_sam_weights(network, tmp_path / "sam.pth")
    assert set(report.left) == {"image_encoder.patch_embed.proj.weight", "image_encoder.neck.0.weight"}
    assert "image_encoder.neck.0.weight" in report.missing
    assert all(key.startswith(("prompt_encoder.", "mask_decoder.")) for key in report.loaded)


def test_a_released_irsam_checkpoint_misses_the_wavelet_block_alone(network, tmp_path):
    released = IRSAMNetwork(granularity="deep", wpmd=False).state_dict()
    torch.save({f"module.{key}": value for key, value in released.items()}, tmp_path / "irsam.pth")
    report = load_sam_weights(network, tmp_path / "irsam.pth")
    assert len(report.loaded) == 465
    assert not report.left
    assert all(key.startswith("wpmd.") for key in report.missing)


def test_training_starts_from_a_mobilesam_checkpoint_or_its_own(network, tmp_path):
    det = IRSAM(enlarge=1)
    weights = shifted(det.network, lambda key: not own_parts(key))
    torch.save(weights, tmp_path / "mobile_sam.pt")
    with pytest.warns(UserWarning, match="439 tensors loaded"):
        start = det.start_from(tmp_path / "mobile_sam.pt")
    assert start.sha256 == sha256_file(tmp_path / "mobile_sam.pt")
    assert det.weights is None
    torch.save(network.state_dict(), tmp_path / "own.pt")
    assert det.start_from(tmp_path / "own.pt") is det.weights
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in det.network.state_dict().items())


def test_another_networks_checkpoint_is_refused(network, tmp_path):
    torch.save({"conv.weight": torch.zeros(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(ZooError, match=r"other\.pth has no tensor of MobileSAM"):
        load_sam_weights(network, tmp_path / "other.pth")


def test_the_detector_reports_it_and_a_checkpoint_goes_before_it(network, tmp_path):
    weights = shifted(network, lambda key: not own_parts(key))
    torch.save(weights, tmp_path / "mobile_sam.pt")
    with pytest.warns(UserWarning, match=r"mobile_sam\.pt: \d+ tensors loaded; left in the file: nothing"):
        det = IRSAM(init_from=tmp_path / "mobile_sam.pt")
    assert len(det.initialization.loaded) == len(weights)
    assert det.unavailable() is not None  # it is not trained
    torch.save(network.state_dict(), tmp_path / "trained.pt")
    trained = IRSAM(init_from=tmp_path / "absent.pt", checkpoint=tmp_path / "trained.pt")
    assert trained.initialization is None
    assert trained.unavailable() is None
