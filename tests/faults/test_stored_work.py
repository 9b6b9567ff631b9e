"""What was scored once stays, whatever the next command leaves out, mistypes or cannot find."""

import json
import shlex
import subprocess
import sys

import pytest
import torch

from irsam_zoo.commands import door
from irsam_zoo.zoo import build_method
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from tests.faults.program import finish, journal_lines, start, wait_until
from tests.user_set import IDS, PROGRAM, row_of, run, write_plugin, write_set

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
def test_a_run_of_less_or_another_kind_empties_nothing(stored, tried, capsys, more, scored):
    first = row_of(stored[1], stored[2])
    tried("run that asks for less or else")
    assert stored[3](*more) == (int("--limit" in more), scored)
    if "--limit" in more:
        assert row_of(stored[1], stored[2]) == first
        assert "the stored row of 8 images stays" in capsys.readouterr().err
        beside = json.loads((stored[1] / "fewer" / "mine" / "irsam" / f"{stored[2]}.json").read_text())
        assert beside["n_images"] == int(more[-1])
    assert same_again(stored) == first


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
@pytest.mark.parametrize("fault", ["no file may be large", "no Dask", "syntax error", "an image that fails"])
def test_a_run_that_fails_takes_neither_row_nor_records(stored, tmp_path, tried, fault, fresh):
    images, out, name, go = stored
    first, records = row_of(out, name), journal_lines(out)[0]
    plugin = tmp_path / f"{name}.py"
    whole, more = plugin.read_text(), list(fresh)
    if fault == "syntax error":
        plugin.write_text(f"{whole}\nthis is no Python\n")
    elif fault == "an image that fails":
        plugin.write_text(
            whole.replace("    def score(self, image):", "    def score(self, image):\n        assert image[0, 0] != 2")
        )
    elif fault == "no Dask":
        more += ["--dask", "tcp://x"]
    command = [
        sys.executable,
        PROGRAM,
        "--datasets",
        images,
        "--out",
        out,
        "--methods",
        name,
        "--plugin",
        plugin,
        "--jobs",
        "1",
    ]
    limit = "ulimit -f 4; " if fault == "no file may be large" else ""
    command = limit + shlex.join(map(str, [*command, *more]))
    tried("run that fails over one that did not")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert row_of(out, name) == first
    assert records <= journal_lines(out)[0]
    plugin.write_text(whole)
    assert go()[0] == 0
    assert row_of(out, name) == first


def test_fresh_work_that_was_ended_goes_on_and_drops_nothing_before(stored, tmp_path, tried):
    images, out, name, _ = stored
    records, _ = journal_lines(out)
    log, plugin = tmp_path / "scored.txt", tmp_path / f"{name}.py"
    command = ["--datasets", images, "--out", out, "--methods", name, "--plugin", plugin, "--jobs", 1]
    log.unlink()
    process = start(*command, "--fresh", folder=tmp_path)
    wait_until(lambda: len(list(out.glob("journal/*/*/*/*.anew.jsonl"))) and len(journal_lines(out)[0] - records) >= 1, process)
    process.kill()
    process.communicate()
    tried("killed run with --fresh")
    (path,) = [path for path in out.glob("journal/*/*/*/*.jsonl") if ".anew" not in path.name]
    assert set(path.read_bytes().split(b"\n")[1:-1]) == records
    again = journal_lines(out)[0] - records
    assert finish(*command, folder=tmp_path)[0] == 0
    after, ids = journal_lines(out)
    assert again <= after
    assert not records & after
    assert sorted(ids) == sorted(IDS)


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
    assert door.main([*command, str(tmp_path / "weights")]) == 0
    first = row_of(out, "small")
    tried("mistyped --checkpoints", 2)
    capsys.readouterr()
    assert door.main([*command, str(tmp_path / "wieghts")]) == 2
    assert "no folder" in capsys.readouterr().err
    assert door.main([*command, str(tmp_path / "empty")]) == 0
    assert "the stored row of 8 images stays" in capsys.readouterr().err
    assert row_of(out, "small") == first


def test_other_weights_in_the_same_place_are_told(tmp_path, tried, capsys):
    images, out = write_set(tmp_path / "mine"), tmp_path / "out"
    config = tmp_path / "small.py"
    command = ["--datasets", str(images), "--methods", str(config), "--out", str(out)]
    for seed, told in ((0, False), (1, True), (1, False)):
        torch.manual_seed(seed)
        weights = tmp_path / f"weights_{seed}.safetensors"
        if not weights.is_file():
            save_checkpoint(weights, build_method("acmnet").network.state_dict(), {})
        config.write_text(f"method = dict(type='acmnet', input_size=32, checkpoint={str(weights)!r})")
        tried("other weights in the same place")
        assert door.main(command) == 0
        out_err = "".join(capsys.readouterr())
        assert ("other weights than the row that was stored: weights_1" in " ".join(out_err.split())) == told


@pytest.mark.parametrize("place", [".", "elsewhere"])
def test_records_are_stale_when_a_helper_of_a_plugin_changed(tmp_path, tried, place):
    images, out = write_set(tmp_path / "mine"), tmp_path / "out"
    helper = tmp_path / place / "helper_of_the_stale.py"
    helper.parent.mkdir(exist_ok=True)
    helper.write_text("def f(x):\n    return x - x.mean()\n")
    plugin = tmp_path / "stale_plugin.py"
    plugin.write_text(
        f"import sys\nsys.path.insert(0, {str(helper.parent)!r})\n"
        "from helper_of_the_stale import f\nfrom irsam_zoo.zoo import METHODS, Detector, MethodCard\n"
        "@METHODS.register_module('stale')\nclass Stale(Detector):\n    card = MethodCard(title='Stale')\n"
        "    def score(self, image):\n        return f(image)\n"
    )
    command = ["--methods", "stale", "--datasets", images, "--out", out, "--jobs", 1, "--plugin"]
    assert finish(*command, plugin, folder=tmp_path)[0] == 0
    first, (lines, _) = row_of(out, "stale"), journal_lines(out)
    tried("moved plug-in")
    (tmp_path / "moved").mkdir()
    plugin = plugin.rename(tmp_path / "moved" / plugin.name)
    assert finish(*command, plugin, folder=tmp_path)[0] == 0
    assert journal_lines(out)[0] == lines
    tried("changed helper of a plug-in")
    helper.write_text("def f(x):\n    return x.mean() - x\n")
    assert finish(*command, plugin, folder=tmp_path)[0] == 0
    assert row_of(out, "stale")["metrics"] != first["metrics"]
