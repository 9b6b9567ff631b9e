import re
from pathlib import Path

import pytest
import torch

from irsam_zoo.zoo import UsageError, ZooError, build_method
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.specs import CONFIG_DIR
from irsam_zoo.zoo.weights.checkpoints import convert_state_dict, load_checkpoint, save_checkpoint
from irsam_zoo.zoo.weights.conversion import convert_file, network_methods
from irsam_zoo.zoo.weights.header import read_header
from tests.checkpoint_forms import STATE, mxnet_file
from tests.golden_networks import reference_state

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "weights"


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("acmnet_1ch", "basicirstd_acm_1ch"),
        ("acmnet", "acm_official_unet_tiny_b4"),
        ("alcnet_basicirstd", "basicirstd_alcnet_1ch"),
    ],
)
def test_conversion_gives_our_keys_and_leaves_them_alone(name, reference):
    _, state = reference_state(reference)
    converted = convert_state_dict(name, state)
    assert converted.keys() == build_method(name, weights=None).network.state_dict().keys()
    assert convert_state_dict(name, converted).keys() == converted.keys()


def test_only_methods_with_a_network_convert():
    with pytest.raises(UsageError, match="method with a network 'top_hat'"):
        convert_state_dict("top_hat", {})
    with pytest.raises(UsageError, match="unknown method"):
        convert_state_dict("acmnett", {})


def test_a_published_file_becomes_one_of_ours(tmp_path):
    meta, state = reference_state("basicirstd_acm_1ch")
    torch.save({"state_dict": {f"model.{key}": value for key, value in state.items()}, "epoch": 400}, tmp_path / "ACM.pth.tar")
    report = convert_file("acmnet_1ch", tmp_path / "ACM.pth.tar", tmp_path / "acm.safetensors")
    assert report.sha256 == sha256_file(report.target)
    assert report.tensors == len(meta["state"])
    assert report.renamed == sum(re.search(r"\.(conv|bn)[12]\.", key) is not None for key in state)
    detector = build_method("acmnet_1ch", checkpoint=report.target)
    metadata = detector.weights.metadata
    assert (metadata["method"], metadata["source"], metadata["epoch"]) == ("acmnet_1ch", "ACM.pth.tar", 400)
    assert metadata["source_sha256"] == sha256_file(tmp_path / "ACM.pth.tar")
    torch.testing.assert_close(detector.network.deconv2.weight, state["deconv2.weight"])


def test_a_file_of_another_method_is_not_converted(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    with pytest.raises(ZooError, match=r"w.pth does not fit ACMUNet: missing: .* and \d+ more; unexpected: conv.weight"):
        convert_file("acmnet", tmp_path / "w.pth", tmp_path / "acm.safetensors")
    assert not (tmp_path / "acm.safetensors").exists()


def test_mxnet_weights_fit_the_network_they_come_from(tmp_path):
    _, state = reference_state("acm_official_unet_tiny_b4")
    norms = {key.rpartition(".")[0] for key in state if key.endswith("running_var")}
    names = {f"{norm}.weight": f"{norm}.gamma" for norm in norms} | {f"{norm}.bias": f"{norm}.beta" for norm in norms}
    arrays = {names.get(key, key): value.numpy() for key, value in state.items() if not key.endswith("num_batches_tracked")}
    (tmp_path / "acm.params").write_bytes(mxnet_file(arrays))
    network = build_method("acmnet", checkpoint=tmp_path / "acm.params").network
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            torch.testing.assert_close(value, state[key], rtol=0, atol=0)


@pytest.fixture(scope="module")
def state():
    return build_method("acmnet_1ch", weights=None).network.state_dict()


def test_a_file_of_another_configuration_is_told_which_one_it_fits(tmp_path, state):
    torch.save({"state_dict": {f"model.{key}": value for key, value in state.items()}}, tmp_path / "ACM full.pth.tar")
    for method in ("acmnet", "acmnet_fpn", CONFIG_DIR / "acmnet_quarter.py"):
        with pytest.raises(ZooError) as caught:
            convert_file(method, tmp_path / "ACM full.pth.tar", tmp_path / "a.safetensors")
        name = Path(method).stem
        assert str(caught.value) == (
            f"{tmp_path}/ACM full.pth.tar does not fit {name}, but it fits acmnet_1ch; run: "
            f"python run_benchmark.py convert acmnet_1ch '{tmp_path}/ACM full.pth.tar' {tmp_path}/a.safetensors"
        )
    assert not (tmp_path / "a.safetensors").exists()


def test_all_configurations_that_a_file_fits_are_named(tmp_path, state, monkeypatch):
    twin = tmp_path / "twin.py"
    twin.write_text(f"_base_ = {str(CONFIG_DIR / 'acmnet_1ch.py')!r}")
    monkeypatch.setattr("irsam_zoo.zoo.weights.conversion.list_configs", lambda: ["acmnet_1ch", "alcnet_basicirstd", str(twin)])
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ZooError, match=rf"does not fit acmnet, but it fits acmnet_1ch and {twin}; run: .* convert acmnet_1ch "):
        convert_file("acmnet", tmp_path / "w.pth", tmp_path / "a.safetensors")


def test_no_other_configuration_is_tried_for_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("irsam_zoo.zoo.weights.conversion._siblings", lambda method: pytest.fail("tried"))
    (tmp_path / "w.pth").write_bytes(b"PK")
    with pytest.raises(ZooError, match="damaged"):
        convert_file("acmnet", tmp_path / "w.pth", tmp_path / "a.safetensors")


def test_parts_in_several_files_become_one(tmp_path):
    """MDvsFA's author saves each of its three networks in a file, under model_state."""
    network = build_method("mdvsfa", weights=None).network
    parts = {name: part.state_dict() for name, part in network.named_children()}
    paths = [tmp_path / f"{name}.pth" for name in parts]
    for path, part in zip(paths, parts.values(), strict=True):
        torch.save({"epoch": 3, "model_state": {f"module.{key}": value for key, value in part.items()}}, path)
    target = tmp_path / "mdvsfa.safetensors"
    done = convert_file("mdvsfa", paths, target)
    assert (done.tensors, done.renamed, done.notes) == (len(network.state_dict()), len(network.state_dict()), ())
    loaded = build_method("mdvsfa", checkpoint=target).network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in network.state_dict().items())
    assert read_header(target)["source"] == "generator1.pth, generator2.pth, discriminator.pth"
    assert read_header(target)["source_sha256"] == ", ".join(map(sha256_file, paths))
    with pytest.raises(
        ZooError, match=r"generator1\.pth with .*generator2\.pth does not fit .*missing: discriminator\.d_conv1"
    ):
        convert_file("mdvsfa", paths[:2], tmp_path / "other.safetensors")
    with pytest.raises(ZooError, match=r"holds generator1\.g1_bn1\.bias, which a file before it holds too"):
        convert_file("mdvsfa", [*paths, paths[0]], tmp_path / "other.safetensors")
    assert not (tmp_path / "other.safetensors").exists()


def test_what_was_chosen_and_left_out_is_told_and_kept(tmp_path, state):
    averaged = {key: value + 1 if value.is_floating_point() else value for key, value in state.items()}
    torch.save({"params": state, "params_ema": averaged | {"total_ops": torch.zeros(1)}}, tmp_path / "w.pth")
    done = convert_file("acmnet_1ch", tmp_path / "w.pth", tmp_path / "a.safetensors")
    assert done.notes == (
        "w.pth: took the weights under params_ema and not those under params (--key takes others)",
        "w.pth: left out: total_ops",
    )
    assert read_header(tmp_path / "a.safetensors")["notes"] == list(done.notes)
    assert torch.equal(load_checkpoint(tmp_path / "a.safetensors")[0]["stem.1.weight"], averaged["stem.1.weight"])
    assert convert_file("acmnet_1ch", tmp_path / "w.pth", tmp_path / "b.safetensors", key="params").notes == ()
    assert torch.equal(load_checkpoint(tmp_path / "b.safetensors")[0]["stem.1.weight"], state["stem.1.weight"])
    detector = build_method("acmnet_1ch", checkpoint=tmp_path / "w.pth")  # loaded as it is, the same is chosen and told
    assert detector.weights.metadata["notes"] == [note.removeprefix("w.pth: ") for note in done.notes]


def test_integers_and_provenance_are_written(tmp_path, state):
    save_checkpoint(tmp_path / "w.safetensors", state, {"dataset": "old", "seed": 3})
    provenance = {"dataset": "nuaa-sirst", "train_ids": ["a"]}
    convert_file("acmnet_1ch", tmp_path / "w.safetensors", tmp_path / "a.safetensors", int8=True, provenance=provenance)
    assert b"weights_as" in (tmp_path / "a.safetensors").read_bytes()
    detector = build_method("acmnet_1ch", checkpoint=tmp_path / "a.safetensors")
    assert detector.weights.metadata.items() >= {**provenance, "seed": 3, "method": "acmnet_1ch"}.items()
    with pytest.raises(UsageError, match="says itself what it was trained on"):
        convert_file("acmnet_1ch", tmp_path / "a.safetensors", tmp_path / "b.safetensors", provenance=provenance)
    assert not (tmp_path / "b.safetensors").exists()


def test_a_folder_is_no_target(tmp_path, state):
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        convert_file("acmnet_1ch", tmp_path / "w.pth", tmp_path)


def test_methods_with_a_network_are_listed():
    assert {"acmnet", "mdvsfa", "irsam"} < set(network_methods())
    assert not {"top_hat", "acmnet_1ch"} & set(network_methods())
    with pytest.raises(UsageError, match="method with a network 'top_hat'"):
        convert_file("top_hat", "w.pth", "a.safetensors")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("given", "fits", "name"),
    [
        ("acmnet", "acmnet_1ch", "lesps/ACM_full.pth.tar"),
        ("acmnet", "acmnet_1ch", "basicirstd/ACM_400.pth.tar"),
        ("alcnet", "alcnet_basicirstd", "lesps/ALCNet_full.pth.tar"),
        ("acmnet", "acmnet_pytorch", "acm-pytorch/Epoch-225_IoU-0.7152_nIoU-0.7281.pkl"),
        ("acmnet", "acmnet_fpn", "acm-pytorch/Epoch-184_IoU-0.6954_nIoU-0.7121.pkl"),
    ],
)
def test_published_files_find_their_configuration(tmp_path, given, fits, name):
    if not (PUBLISHED / name).is_file():
        pytest.skip(f"no published weights: {PUBLISHED / name} is missing")
    with pytest.raises(ZooError, match=f"does not fit {given}, but it fits {fits}; run"):
        convert_file(given, PUBLISHED / name, tmp_path / "a.safetensors")
    assert convert_file(fits, PUBLISHED / name, tmp_path / "a.safetensors").method == fits
