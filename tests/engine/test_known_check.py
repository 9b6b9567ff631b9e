"""Known weights in a run, and scored as their publishers do."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from irsam_zoo import ROOT
from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.engine.known_check import Check, check_known, publisher_metrics
from irsam_zoo.reports.weights import check_listing, weights_listing
from irsam_zoo.zoo import UsageError, ZooError, build_method
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import convert_file
from irsam_zoo.zoo.weights.known_weights import Result, StatedProtocol, catalogue, find_known

SEEN, UNSEEN = "Misc_165", ["Misc_372", "Misc_119", "Misc_248"]  # of nuaa-sirst/idx320: training and test images
BASICIRSTD = StatedProtocol(metrics="basicirstd", size="native", threshold=0.0)
IN_COLOUR = StatedProtocol(metrics="irsam", size="input", threshold=0.0, colour=True)
SHIPPED = ROOT / "checkpoints"


@pytest.fixture
def root(tmp_path):
    """A folder of data sets with a few coloured images under names of NUAA-SIRST, and lists beside them."""
    folder, rng = tmp_path / "data" / "NUAA-SIRST", np.random.default_rng(0)
    for part in ("images", "masks", "splits/few", "splits/seen"):
        (folder / part).mkdir(parents=True)
    for number, id in enumerate([SEEN, *UNSEEN]):
        image = rng.integers(0, 256, (40, 50 + number, 3), dtype=np.uint8)
        size = (90, 116) if id == UNSEEN[0] else image.shape[:2]  # as Misc_111, whose mask is larger
        mask = rng.choice(np.array([0, 255], np.uint8), size, p=(0.9, 0.1))
        cv2.imwrite(str(folder / "images" / f"{id}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{id}.png"), mask)
    (folder / "splits" / "few" / "test.txt").write_text("\n".join(UNSEEN))
    (folder / "splits" / "seen" / "test.txt").write_text("\n".join([*UNSEEN, SEEN]))
    return folder.parent


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Random weights of acmnet_1ch that the catalogue knows, and their file."""
    path = tmp_path / "weights" / "x.pth"
    path.parent.mkdir()
    torch.manual_seed(3)
    network = build_method("acmnet_1ch", weights=None).network
    with torch.inference_mode():  # half of the pixels of noise are above a half
        logits = torch.logit(network(torch.randn(1, 1, 64, 64)))
        state = network.state_dict() | {"head.block.4.bias": network.head.block[4].bias - logits.median()}
    torch.save(state, path)
    result = Result("nuaa-sirst", "few", stated={"IoU": 3.0}, measured={}, original={}, unreproducible=(), note="")
    entry = replace(
        catalogue()["basicirstd-acm"],
        name="made-up",
        sha256=sha256_file(path),
        size=path.stat().st_size,
        publisher="A. Author",
        options={"mean": [90.0], "std": [40.0]},
        split="idx320",
        protocol=BASICIRSTD,
        results=(result,),
    )
    monkeypatch.setattr("irsam_zoo.zoo.weights.known_weights.catalogue", lambda: {entry.name: entry})
    return entry, path


def reference(path, root, ids, *, resized):
    """IoU by hand, of the mask where the probability is above a half."""
    network = build_method("acmnet_1ch", checkpoint=path).network
    intersection = union = 0
    for id in ids:
        image, mask = (Image.open(root / "NUAA-SIRST" / part / f"{id}.png") for part in ("images", "masks"))
        height, width = image.size[::-1]
        if resized:
            image, mask = image.resize((64, 64), Image.Resampling.BILINEAR), mask.resize((64, 64), Image.Resampling.NEAREST)
            planes = np.asarray(image, np.float32)[..., :1].transpose(2, 0, 1)
            height = width = 64
        else:
            mask = mask.resize((width, height), Image.Resampling.NEAREST)
            planes = np.asarray(image.convert("L"), np.float32)[None]
        inputs = np.zeros((1, 1, 64, 64), np.float32)
        inputs[..., :height, :width] = (planes - 90) / 40
        with torch.inference_mode():
            probability = network(torch.from_numpy(inputs))[0, 0, :height, :width].numpy()
        target = np.asarray(mask) == 255
        intersection += (target & (probability > 0.5)).sum()
        union += (target | (probability > 0.5)).sum()
    return 100 * intersection / union


def run(tmp_path, root, *arguments):
    """The row of acmnet_1ch, and the exit status."""
    out = tmp_path / "out"
    command = ["--methods", "acmnet_1ch", "--datasets", "nuaa-sirst", "--data-root", str(root), "--device", "cpu"]
    status = door.main([*command, "--checkpoints", str(tmp_path), "--out", str(out), "--jobs", "1", *arguments])
    (path,) = (out / "results").glob("*/*/*.json")
    return json.loads(path.read_text()), status, (out / "report" / "table1.md").read_text()


def test_a_run_guards_known_weights_and_ranks_them(made_up, root, tmp_path):
    _, path = made_up
    convert_file("acmnet_1ch", path, tmp_path / "acmnet_1ch_nuaa-sirst.safetensors")
    row, status, _ = run(tmp_path, root, "--split", "seen")
    assert (row["status"], status) == ("failed", 1)
    assert f"1 of the 4 test images, {SEEN} among them, were in the training list" in row["reason"]
    row, status, text = run(tmp_path, root, "--split", "seen", "--allow-overlap", "--fresh")
    assert (row["status"], row["trained_on_test"], status) == ("ok", 1, 0)
    assert "acmnet_1ch) <sup>PT</sup>" in text


def test_a_row_of_known_weights_names_their_publisher(made_up, root, tmp_path):
    _, path = made_up
    convert_file("acmnet_1ch", path, tmp_path / "acmnet_1ch_nuaa-sirst.safetensors")
    row, status, text = run(tmp_path, root, "--split", "few")
    assert (row["status"], status) == ("ok", 0)
    assert row["key"]["method"]["mean"] == [90.0]  # what the weights were trained with, not what the configuration says
    assert row["metrics"]["basicirstd"]["IoU"] * 100 == pytest.approx(reference(path, root, UNSEEN, resized=False))
    assert "acmnet_1ch) <sup>P</sup>" in text
    assert "ok; weights of A. Author, trained on nuaa-sirst (idx320)" in text


def test_metrics_are_taken_as_the_publisher_does(made_up, root):
    entry, path = made_up
    (result,) = entry.results
    figures = publisher_metrics(entry, result, path, root)
    assert figures["IoU"] == pytest.approx(reference(path, root, UNSEEN, resized=False), rel=1e-12)
    seen = replace(result, split="seen")
    with pytest.raises(ZooError, match=f"made-up was trained on 1 of the test images, {SEEN} among them"):
        publisher_metrics(entry, seen, path, root)


def test_weights_are_checked_on_files_alone(made_up):
    entry, path = made_up
    with pytest.raises(ZooError, match="on synthetic is no network on the files of a data set"):
        publisher_metrics(entry, replace(entry.results[0], dataset="synthetic", split="irsam"), path)


def test_images_are_read_in_colour_and_masks_resized_once(made_up, root, monkeypatch):
    entry, path = made_up
    resized = replace(entry, protocol=IN_COLOUR, options=entry.options | {"input_size": 64})
    # A network of one channel sees the first of the three; another would see all.
    monkeypatch.setattr("irsam_zoo.zoo.neural.NeuralDetector.normalize", lambda self, images: (images[:, :1] - 90) / 40)
    figures = publisher_metrics(resized, entry.results[0], path, root)
    assert figures["IoU"] == pytest.approx(reference(path, root, UNSEEN, resized=True), rel=1e-12)


def test_all_lists_are_scored_whose_data_are_here(made_up, root):
    entry, path = made_up
    absent = replace(entry.results[0], dataset="nudt-sirst", split="dnanet")
    lines = []
    checks = check_known([(replace(entry, results=(absent, *entry.results)), path)], root, 1, report=lines.append)
    assert [(check.result, check.reason) for check in checks] == [(entry.results[0], None)]
    assert checks[0].figures["IoU"] == pytest.approx(reference(path, root, UNSEEN, resized=False))
    assert "for want of the data: nudt-sirst" in lines[0]
    assert lines[1:] == ["made-up on nuaa-sirst (few): 1 of 1 done"]
    with pytest.raises(UsageError, match="--data-root"):
        check_known([(replace(entry, results=(absent,)), path)], root, 1)


def test_where_nothing_is_stated_the_figures_are_held_to_those_before():
    result = Result("nuaa-sirst", "irsam", {}, {"IoU": 11.5}, {}, (), "")
    for figure, missed, verdict in ((11.55, [], "as measured before, none is stated"), (12.0, ["IoU"], "MISSED: IoU")):
        check = Check(catalogue()["rdian-released"], result, {"IoU": figure})
        assert check.missed == missed
        assert verdict in check_listing([check])


@pytest.mark.parametrize(
    ("stated", "unreproducible", "measured", "failed", "verdict"),
    [
        ({"IoU": 50.05, "Pd": 90.3, "Fa": 9.8}, (), {}, False, "reproduced"),
        ({"IoU": 50.2, "Pd": 90.0}, (), {}, True, "MISSED: IoU"),
        ({"IoU": 50.05, "Fa": 10.3}, (), {}, True, "MISSED: Fa"),
        ({"IoU": 60.0, "Pd": 90.0}, ("IoU",), {"IoU": 50.01}, False, "reproduced, IoU as measured before: no luck"),
        ({"IoU": 60.0}, ("IoU",), {"IoU": 40.0}, True, "MISSED: IoU"),
        ({"IoU": 60.0, "Pd": 80.0}, ("IoU",), {"IoU": 50.0}, True, "MISSED: Pd"),
    ],
)
def test_verdicts(stated, unreproducible, measured, failed, verdict):
    result = Result("nuaa-sirst", "irsam", stated, measured, {}, unreproducible, "no luck" if unreproducible else "")
    check = Check(catalogue()["open-acm"], result, {"IoU": 50.0, "nIoU": 40.0, "Pd": 90.0, "Fa": 10.0})
    assert check.failed == failed
    line = check_listing([check]).splitlines()[-1]
    assert line.startswith("open-acm  nuaa-sirst (irsam)")
    assert line.endswith(verdict)
    assert f"{stated['IoU']:.2f} / 50.00" in line


def test_a_list_that_cannot_be_scored_fails_the_check():
    known = catalogue()["open-acm"]
    check = Check(known, known.results[0], {}, "images has no Misc_1")
    assert check.failed
    assert check_listing([check]).splitlines()[-1].endswith("failed: images has no Misc_1")


def test_the_listing_says_what_is_here_and_where_to_get_the_rest(made_up, tmp_path):
    entry, path = made_up
    other = catalogue()["open-alcnet"]
    text = weights_listing([entry, other], {"made-up": path})
    assert f"here: {path}" in text
    assert f"not here; get it from {other.url}" in text
    assert "stated IoU 76.14; by the publisher's own code or masks IoU 74.08" in text


def test_the_command_line(made_up, root, tmp_path, capsys):
    _, path = made_up
    folder = str(tmp_path / "weights")
    assert door.main(["weights", "--checkpoints", folder]) == 0
    assert f"here: {path}" in capsys.readouterr().out
    assert door.main(["weights", "--checkpoints", str(SHIPPED)]) == 0
    listed = capsys.readouterr().out.split("weights of this project")[1]
    assert {str(path) for path in SHIPPED.rglob("*.safetensors")} == {line.split()[0] for line in listed.splitlines()[1:]}
    check = ["weights", "--check", "--data-root", str(root), "--jobs", "1"]
    assert door.main([*check, "--checkpoints", folder]) == 1  # random weights do not give what is stated
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert line.startswith("made-up  nuaa-sirst (few)")
    assert line.endswith("MISSED: IoU")
    assert door.main([*check, "--checkpoints", str(root)]) == 2
    assert "says where to get them" in capsys.readouterr().err
    assert door.main([*check, "made-upp"]) == 2
    assert "did you mean made-up" in capsys.readouterr().err


@pytest.fixture(scope="session")
def published(data_root):
    """Published files that lie beside the data sets, by name of their entry."""
    folder = data_root.resolve().parent / "weights"
    if not folder.is_dir():
        pytest.skip(f"no published weights: {folder} is no folder")
    return find_known(folder)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "number"), [("open-acm", 0), ("basicirstd-acm", 0), ("lesps-acm-full", 0)])
def test_stated_figures_are_reproduced(published, data_root, name, number):
    if name not in published:
        pytest.skip(f"the published weights do not hold {name}")
    known = catalogue()[name]
    result = known.results[number]
    figures = publisher_metrics(known, result, published[name], data_root)
    assert {metric: round(figures[metric], 2) for metric in result.measured} == {
        metric: round(value, 2) for metric, value in result.measured.items()
    }
    assert not Check(known, result, figures).missed


@pytest.mark.real_data
def test_the_released_acm_saw_half_of_the_test_images(published, data_root):
    if "open-acm" not in published:
        pytest.skip("the published weights do not hold open-acm")
    metadata = build_method("acmnet", checkpoint=published["open-acm"]).weights.metadata
    assert len(overlap(metadata, build_dataset("nuaa-sirst", data_root))) == 43
    assert overlap(metadata, build_dataset("nuaa-sirst", data_root, split="idx320")) == []


@pytest.mark.real_data
def test_training_images_are_known_by_their_pixels_under_another_name(published, data_root, tmp_path):
    if "open-acm" not in published:
        pytest.skip("the published weights do not hold open-acm")
    source = build_dataset("nuaa-sirst", data_root)
    for name, id in (("seen", SEEN), ("unseen", UNSEEN[0])):
        for folder, path in (("images", source.image_path(id)), ("masks", source.mask_path(id))):
            (tmp_path / "mine" / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "mine" / folder / f"{name}.png")
    metadata = build_method("acmnet", checkpoint=published["open-acm"]).weights.metadata
    assert overlap(metadata, build_dataset(str(tmp_path / "mine"), split="all")) == ["seen"]
