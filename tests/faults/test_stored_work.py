"""What was scored once stays, whatever the next command leaves out, mistypes or cannot find."""

import json

import pytest
import torch

import run_benchmark
from tests.faults.program import finish, journal_lines
from tests.user_set import IDS, row_of, run, write_plugin, write_set
from zoo import build_method
from zoo.checkpoints import save_checkpoint

pytestmark = pytest.mark.faults


@pytest.fixture
def stored(tmp_path):
    """A folder of results of eight images, and how to go on in it."""
    images, (name, plugin, _) = write_set(tmp_path / "mine"), write_plugin(tmp_path)
    out = tmp_path / "out"

    def go(*more, folder=images):
        """The status, and how many images were scored, those that the speed is measured on left out."""
        before, _ = journal_lines(out)
        status = run(folder, out, name, "--plugin", str(plugin), "--jobs", "1", *more)
        return status, len(journal_lines(out)[0] - before)

    assert go() == (0, len(IDS))
    return images, out, name, go


def same_again(stored):
    """Whether the first command makes the first row again, without scoring an image again."""
    _, out, name, go = stored
    assert go() == (0, 0)
    return row_of(out, name)


@pytest.mark.parametrize(
    ("more", "scored"),
    [
        (["--threshold", "minmax(0.5)", "--limit", "1"], 1),
        (["--fresh", "--limit", "3"], 3),
        (["--save-predictions"], 8),
        (["--save-predictions", "--limit", "2"], 2),
        (["--save-scores", "--threshold", "fixed(3)"], 8),
        (["--metric-size", "input", "--limit", "1"], 1),
        (["--limit", "1"], 0),
    ],
)
def test_a_run_of_less_or_another_kind_empties_nothing(stored, tried, more, scored):
    first = row_of(stored[1], stored[2])
    tried("run that asks for less or else")
    assert stored[3](*more) == (0, scored)
    assert same_again(stored) == first


def test_images_that_are_away_for_a_while(stored, tmp_path, tried):
    images, out, name, go = stored
    first = row_of(out, name)
    (images / "images").rename(tmp_path / "away")
    (images / "images").mkdir()
    tried("images away")
    assert go()[1] == 0
    (images / "images").rmdir()
    (tmp_path / "away").rename(images / "images")
    assert same_again(stored) == first


def test_another_folder_of_the_same_name(stored, tmp_path, tried):
    images, out, name, go = stored
    first = row_of(out, name)
    other = write_set(tmp_path / "elsewhere" / "mine")
    for image_id in IDS:
        (other / "images" / f"{image_id}.png").write_bytes((images / "images" / f"{IDS[0]}.png").read_bytes())
        (other / "masks" / f"{image_id}.png").write_bytes((images / "masks" / f"{IDS[0]}.png").read_bytes())
    tried("another folder of the same name")
    assert go(folder=other) == (0, len(IDS) - 1)  # the first is the same image
    assert row_of(out, name)["key"]["data"] != first["key"]["data"]
    assert same_again(stored) == first
    assert go(folder=other) == (0, 0)


@pytest.mark.parametrize("damage", ["[", "", "{}", '["a"]', "\0"])
def test_a_damaged_manifest_loses_no_history(stored, tried, capsys, damage):
    _, out, _, go = stored
    whole = (out / "manifest.json").read_text()
    (out / "manifest.json").write_text(whole[:-5] + damage)
    tried("damaged manifest")
    assert go()[0] == 0
    assert "manifest.damaged-1.json" in capsys.readouterr().err
    assert (out / "manifest.damaged-1.json").read_text() == whole[:-5] + damage
    assert len(json.loads((out / "manifest.json").read_text())) == 1


def test_masks_that_were_emptied_or_swapped_are_made_again(stored, tried):
    _, out, name, go = stored
    assert go("--save-predictions")[0] == 0
    folder = out / "predictions" / "mine" / "irsam" / name
    first, second, third = (folder / f"im{number}.png" for number in range(3))
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    tried("emptied, swapped or damaged mask", 3)
    first.write_bytes(b"")
    second.write_bytes(whole[folder / "im5.png"])
    third.write_bytes(whole[third][:-20])
    assert go("--save-predictions") == (0, 3)
    assert {path: path.read_bytes() for path in folder.iterdir()} == whole


def test_weights_that_are_not_found_any_more_take_no_row(tmp_path, tried, capsys):
    images, out = write_set(tmp_path / "mine"), tmp_path / "out"
    (tmp_path / "weights").mkdir()
    (tmp_path / "empty").mkdir()
    config = tmp_path / "small.py"
    config.write_text("method = dict(type='acmnet', input_size=32)")
    torch.manual_seed(0)
    save_checkpoint(
        tmp_path / "weights" / "small_mine.safetensors", build_method("acmnet", weights=None).network.state_dict(), {}
    )
    command = ["--datasets", str(images), "--methods", str(config), "--out", str(out), "--checkpoints"]
    assert run_benchmark.main([*command, str(tmp_path / "weights")]) == 0
    first = row_of(out, "small")
    tried("mistyped --checkpoints", 2)
    capsys.readouterr()
    assert run_benchmark.main([*command, str(tmp_path / "wieghts")]) == 2
    assert "no folder" in capsys.readouterr().err
    assert run_benchmark.main([*command, str(tmp_path / "empty")]) == 0
    assert "the stored row stays" in capsys.readouterr().err
    assert row_of(out, "small") == first


def test_records_are_stale_when_a_helper_of_a_plugin_changed(tmp_path, tried):
    images, out = write_set(tmp_path / "mine"), tmp_path / "out"
    (tmp_path / "helper_of_the_stale.py").write_text("def f(x):\n    return x - x.mean()\n")
    plugin = tmp_path / "stale_plugin.py"
    plugin.write_text(
        "from helper_of_the_stale import f\nfrom zoo import METHODS, Detector, MethodCard\n"
        "@METHODS.register_module('stale')\nclass Stale(Detector):\n    card = MethodCard(title='Stale')\n"
        "    def score(self, image):\n        return f(image)\n"
    )
    command = ["--methods", "stale", "--plugin", plugin, "--datasets", images, "--out", out, "--jobs", 1]
    assert finish(*command, folder=tmp_path)[0] == 0
    first = row_of(out, "stale")
    tried("changed helper of a plug-in")
    (tmp_path / "helper_of_the_stale.py").write_text("def f(x):\n    return x.mean() - x\n")
    assert finish(*command, folder=tmp_path)[0] == 0
    assert row_of(out, "stale")["metrics"] != first["metrics"]
