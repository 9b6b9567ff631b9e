"""Result folders and files of options that a stranger made: nothing that they name runs.

Each payload would leave a marker beside it; none may be there afterwards.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import zlib

import pytest
import yaml
from PIL import Image

from irsam_zoo.commands import door
from irsam_zoo.results.checksum import checksum, summed
from irsam_zoo.results.record import SWEEP_COLUMNS
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import UsageError, build_method
from tests.results.builders import make_row
from tests.user_set import PROGRAM, row_of, run, write_plugin, write_set

pytestmark = pytest.mark.faults
PAYLOAD = "from pathlib import Path\nPath({marker!r}).write_text('ran')\nmethod = dict(type='top_hat')\n"


@pytest.fixture
def evil(tmp_path):
    """A Python file that leaves a marker where it is imported or read as a configuration."""
    path = tmp_path / "stranger" / "evil.py"
    path.parent.mkdir()
    path.write_text(PAYLOAD.format(marker=str(tmp_path / "ran")))
    return path


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path / "mine")


def write_row(out, path, **changes):
    """A row with a right checksum at any place of a result folder, beside a good one that the report is of."""
    for place, row in (("d/s/m", make_row(n_images=0)), (path, make_row(n_images=0))):
        data = row.to_json() | (changes if place == path else {})
        del data["sum"]
        file = out / "results" / f"{place}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(summed(data)))


# Where a row lies in results/, and what it says of itself; {evil} is the payload, {stem} the same without its ending.
ROWS = {
    "a path of the folder": ("G/rel1/evil.py", dict(dataset="", split="", method="{stranger}/results/G/rel1/evil.py")),
    "a path from here": ("G/rel1/evil.py", dict(dataset="", split="", method="G/rel1/evil.py")),
    "a path and no ending": ("G/rel1/evil", dict(dataset="", split="", method="{stranger}/results/G/rel1/evil")),
    "a path upwards": ("a/b/evil.py", dict(dataset="a", split=".", method="b/evil.py")),
    "a path through a set": ("a/b/evil.py", dict(dataset="a/b", split="", method="evil.py")),
    "a name with an ending": ("a/b/evil.py", dict(dataset="a", split="b", method="evil.py")),
    "a name of a file here": ("a/b/evil", dict(dataset="a", split="b", method="evil")),
    "a split of points": ("a/b/evil.py", dict(dataset="a/b/..", split="b", method="evil.py")),
    "a key of a file": ("a/b/c", dict(dataset="a", split="b", method="c", key={"method": {"type": "{evil}"}})),
    "a module of the folder": ("a/b/evil.payload", dict(dataset="a", split="b", method="evil.payload")),
}
COMMANDS = {
    "report": ["report", "--figures", "none", "--out", "."],
    "report by its path": ["report", "--out", "{stranger}"],
    "cut": ["report", "--figures", "none", "--threshold", "fixed(0)", "--out", "."],
    "compare": ["report", "--compare", ".", "."],
    "merge": ["report", "--merge", ".", "--out", "{stranger}/../joined"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ROWS)
def test_no_row_runs_code(evil, kind, command, monkeypatch, capsys, tried):
    tried("rows that name code")
    stranger = evil.parent
    monkeypatch.chdir(stranger)
    monkeypatch.syspath_prepend(stranger)
    place, said = ROWS[kind]
    words = dict(evil=str(evil), stranger=str(stranger))
    said = json.loads(json.dumps(said).replace("{evil}", words["evil"]).replace("{stranger}", words["stranger"]))
    write_row(stranger, place, **said)
    for name in ("evil.py", "evil/__init__.py", "evil/payload.py", f"results/{place}", f"results/{place}.py"):
        file = stranger / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(evil.read_text())
    door.main([word.format(**words) for word in COMMANDS[command]])
    assert not (stranger.parent / "ran").exists()
    assert "Traceback" not in capsys.readouterr().err


OPTIONS = {
    "plug-in": {"plugin": ["{evil}"]},
    "plug-in as text": {"plugin": "{evil}"},
    "plug-in as a word": {"methods": ["top_hat", "--plugin", "{evil}"]},
    "plug-in as one word": {"methods": ["top_hat", "--plugin={evil}"]},
    "plug-in behind a set": {"datasets": ["{folder}", "--plugin", "{evil}"]},
    "plug-in behind a number": {"limit": "1 --plugin {evil}"},
    "plug-in in a list for a number": {"limit": ["1", "--plugin", "{evil}"]},
    "configuration as a word": {"methods": ["top_hat", "--config", "{evil}"]},
    "short words": {"methods": ["top_hat", "--plu", "{evil}"]},
    "end of the options": {"methods": ["--", "{evil}"]},
    "method": {"methods": ["{evil}"]},
    "method without an ending": {"methods": ["{stem}"]},
    "method as text": {"methods": "{evil}"},
    "method from here": {"methods": ["evil.py"]},
    "method upwards": {"methods": ["../stranger/evil"]},
    "method with an ending": {"methods": ["top_hat", "./evil.py"]},
    "configuration": {"config": "{evil}"},
    "imports": {"custom_imports": {"imports": ["evil"]}, "methods": ["top_hat"]},
    "base": {"_base_": "{evil}", "methods": ["top_hat"]},
    "scheduler": {"dask": "tcp://127.0.0.1:1", "methods": ["top_hat"]},
    "trust": {"trust": True, "plugin": ["{evil}"]},
    "nested": {"methods": [["{evil}"]]},
    "an object": {"methods": [{"type": "{evil}"}]},
}


def filled(options, evil, folder):
    text = json.dumps(options).replace("{evil}", str(evil)).replace("{stem}", str(evil.with_suffix("")))
    return json.loads(text.replace("{folder}", str(folder)))


def refused(arguments, marker, capsys):
    assert door.main([str(word) for word in arguments]) == 2
    assert not marker.exists()
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("kind", OPTIONS)
def test_a_configuration_of_data_runs_no_code(evil, folder, tmp_path, kind, form, monkeypatch, capsys, tried):
    tried("configurations that name code")
    monkeypatch.chdir(evil.parent)
    monkeypatch.syspath_prepend(evil.parent)
    path = tmp_path / f"run.{form}"
    options = filled(OPTIONS[kind], evil, folder)
    path.write_text(json.dumps(options) if form == "json" else yaml.safe_dump(options))
    named = [] if "datasets" in options else ["--datasets", folder]
    refused(["--all", "--time-limit", "30s", "--config", path, *named, "--out", tmp_path / "out"], tmp_path / "ran", capsys)


@pytest.mark.parametrize("kind", [kind for kind in OPTIONS if kind not in ("scheduler", "trust")])
def test_a_manifest_runs_no_code(evil, folder, tmp_path, kind, monkeypatch, capsys, tried):
    tried("manifests that name code")
    monkeypatch.chdir(evil.parent)
    monkeypatch.syspath_prepend(evil.parent)
    options = {"methods": ["top_hat"], "datasets": [str(folder)]} | filled(OPTIONS[kind], evil, folder)
    if "plugin" in options:
        options["plugins"] = options.pop("plugin")
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps([{"version": 1, "config": options}]))
    refused(["--time-limit", "30s", "--from-manifest", path, "--out", tmp_path / "out"], tmp_path / "ran", capsys)


def test_what_is_trusted_runs_and_what_is_not_says_how(folder, tmp_path, capsys, tried):
    tried("configurations that name code", 2)
    name, plugin, log = write_plugin(tmp_path)
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"plugin": [str(plugin)], "methods": [name], "datasets": [str(folder)], "limit": 2}))
    command = ["--config", path, "--out", tmp_path / "out"]
    error = refused(command, log, capsys)
    assert f"{path} names code that would run: plugin {plugin}; read that code, then add --trust" in error
    assert door.main([*map(str, command), "--trust"]) == 0
    assert log.exists()
    capsys.readouterr()
    again = ["--from-manifest", tmp_path / "out" / "manifest.json", "--out", tmp_path / "again"]
    assert "--trust" in refused(again, tmp_path / "again", capsys)
    assert door.main([*map(str, again), "--trust"]) == 0
    assert row_of(tmp_path / "again", name)["status"] == "ok"


MODELS = {
    "a function": {"type": "os.system", "command": "touch {marker}"},
    "a module": {"type": "evil"},
    "a backbone": {"type": "EncoderDecoder", "backbone": {"type": "os.system", "command": "touch {marker}"}},
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_of_data_calls_only_what_is_registered(evil, tmp_path, kind, monkeypatch, tried):
    tried("models that name code")
    monkeypatch.syspath_prepend(evil.parent)
    model = {"backbone": {"type": "UNet"}, "decode_head": {"type": "FCNHead"}} | MODELS[kind]
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"model": model}).replace("{marker}", str(tmp_path / "ran")))
    with pytest.raises(UsageError, match="does not have registered"):
        build_method("mmseg", config=str(path))
    assert not (tmp_path / "ran").exists()


def test_a_name_is_never_the_path_of_a_file(evil, tmp_path, tried):
    tried("names that are paths")
    with pytest.raises(UsageError, match="unknown method"):
        build_method(str(evil.with_suffix("")))
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A result folder with masks and score maps, as a run leaves it."""
    root = tmp_path_factory.mktemp("scored")
    folder = write_set(root / "mine")
    flags = ["--save-predictions", "--save-scores", "png", "--limit", "3"]
    assert run(folder, root / "out", "top_hat", "max_median", *flags) == 0
    return root


@pytest.fixture
def copied(scored, tmp_path):
    shutil.copytree(scored / "out", tmp_path / "out")
    return tmp_path / "out"


def report(out, *more):
    """`report` on a folder, in a process of its own that ends in any case: exit status and what it said."""
    command = [sys.executable, str(PROGRAM), "report", "--out", str(out), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


PLACES = {
    "row": "results/mine/irsam/top_hat.json",
    "table of images": "results/mine/irsam/top_hat.csv",
    "times": "times/mine/irsam/top_hat.json",
    "manifest": "manifest.json",
    "journal": "journal",
    "mask": "predictions/mine/irsam/top_hat/im0.png",
    "score map": "scores/mine/irsam/top_hat/im0.png",
    "figure": "report/figures/odd.png",
    "audit": "report/audit.md",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_pipe_in_a_result_folder_holds_nothing_up(copied, place, tried):
    tried("pipes in result folders")
    path = copied / PLACES[place]
    if place == "journal":
        path = next((copied / "journal" / "mine" / "irsam" / "top_hat").glob("*.jsonl"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    status, _ = report(copied, "--figures", "none")
    assert status == 0
    assert "max_median" in (copied / "report" / "table1.csv").read_text()


def test_pipes_elsewhere_are_one_line(folder, tmp_path, tried):
    tried("pipes elsewhere", 4)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "predicted").mkdir()
    os.mkfifo(tmp_path / "predicted" / "im1.png")
    commands = [
        ["convert", "acmnet", pipe, tmp_path / "x.safetensors"],
        ["score", tmp_path / "predicted", "--dataset", folder, "--out", tmp_path / "out"],
        ["--config", pipe, "--datasets", folder, "--out", tmp_path / "out"],
        ["--datasets", folder, "--from-manifest", pipe, "--out", tmp_path / "out"],
    ]
    for command in commands:
        words = [sys.executable, str(PROGRAM), *map(str, command)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (1, 2), command
        assert "Traceback" not in done.stderr


def test_links_in_circles_end(folder, tmp_path, tried):
    tried("links in circles")
    tree = tmp_path / "tree" / "mine"
    tree.mkdir(parents=True)
    for name in "abc":
        (tree / name).symlink_to(tree)
    words = ["score", tmp_path / "tree", "--dataset", folder, "--out", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_a_page_carries_pngs_of_its_own_folder_alone(copied, tmp_path, tried):
    figures = copied / "report" / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 30), "red").save(secret)
    for name in ("good", "jpeg", "gif", "tiff"):
        Image.new("RGB", (40, 30)).save(figures / f"{name}.png", "PNG" if name == "good" else name)
    (figures / "text.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (figures / "link.png").symlink_to(secret)
    (figures / "folder.png").mkdir()
    whole = (figures / "good.png").read_bytes()
    (figures / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("1", (20_000, 2_000)).save(figures / "huge.png")
    tried("pictures of a page", 8)
    status, told = report(copied, "--figures", "none")
    assert status == 0
    for name in ("jpeg", "gif", "tiff", "text", "link", "folder", "cut", "huge"):
        assert f"{name}.png" in told
    page = (copied / "report" / "index.html").read_text()
    assert page.count("data:image/webp;base64,") == 1
    (tmp_path / "pictures").mkdir()
    shutil.copy(secret, tmp_path / "pictures")
    shutil.rmtree(figures)
    figures.symlink_to(tmp_path / "pictures")
    theirs = tmp_path / "pictures" / "speed_of_mine.png"
    shutil.copy(secret, theirs)
    assert report(copied, "--figures", "speed")[0] == 0
    assert theirs.exists()
    assert "data:image/webp;base64," not in (copied / "report" / "index.html").read_text()


def test_settings_of_matplotlib_in_the_folder_are_not_read(copied, tried):
    tried("settings in a stranger's folder")
    (copied / "matplotlibrc").write_text("backend: module://evil\ntext.usetex: True\nlines.linewidth: 77\n")
    said = "import irsam_zoo.reports.figures.write, matplotlib as m; "
    said += "print(m.rcParams['lines.linewidth'], m.rcParams['text.usetex'])"
    env = os.environ | {"PYTHONPATH": str(PROGRAM.parent)}
    done = subprocess.run([sys.executable, "-c", said], cwd=copied, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1.5", "False"]


def test_names_of_a_row_do_nothing_to_the_terminal(tmp_path, capsys, tried):
    tried("names with codes")
    for name in ("\u202egnp.exe", "\u2066x", "a\u2028b"):
        row = make_row(dataset=name, split=name, method=name, n_images=0, sweep={c: [1] * 256 for c in SWEEP_COLUMNS})
        ResultStore(tmp_path).write_row(row, [])
    door.main(["report", "--threshold", "fixed(0)", "--out", str(tmp_path)])
    done = capsys.readouterr()
    assert all(line.isprintable() for line in (done.out + done.err).split("\n"))
    assert "\\u202egnp.exe" in done.err


RECORDS = [
    dict(counts={}), dict(counts={"union": 1}), dict(counts={"pixels": "many"}), dict(counts=None), dict(signal={}),
    dict(signal={"targets": None}), dict(signal={"targets": [{}]}), dict(signal={"targets": [1]}), dict(sweep="x"),
    dict(sweep=base64.b64encode(zlib.compress(b"\0" * 10**7)).decode()), dict(sweep=""), dict(id="../../../x"),
    dict(id="\ud800"),
    dict(id="/etc/passwd"), dict(id=""), dict(height=-1), dict(height=10**9, width=10**9), dict(height=0, width=0),
    dict(statistics={"low": 1, "high": 0, "mean": 9, "std": -1}), dict(statistics=[1]), dict(saved=3),
    dict(saved="x", saved_sha256=None),
    dict(saved_scores="x.exe"), dict(saved_scores="../../x.npy"), dict(notes=["x"] * 9), dict(processor=3), dict(seconds=-1),
    dict(seconds=1e300), dict(pixels=1),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_an_odd_record_ends_no_report(copied, number, tried):
    """The first record of a journal, with the checksum that fits."""
    tried("odd records")
    (path,) = (copied / "journal" / "mine" / "irsam" / "top_hat").glob("*.jsonl")
    head, first, *rest = path.read_text().splitlines()
    record = json.loads(first)
    del record["sum"]
    salt = checksum(json.loads(head)["key"])
    path.write_text("\n".join([head, json.dumps(summed(record | RECORDS[number], salt)), *rest, ""]))
    assert door.main(["report", "--out", str(copied), "--figures", *(["none"] if number % 4 else ["detections"])]) == 0
    assert "max_median" in (copied / "report" / "table1.csv").read_text()


CONFIGS = [
    {"methods": 3}, {"methods": [3]}, {"methods": {"a": 1}}, {"datasets": [None]}, {"datasets": "mine"}, {"data_root": []},
    {"split": {}},
    {}, {"folder": 3}, {"datasets": ["/dev/zero"]}, {"data_root": "\x00"}, {"datasets": ["\x00"]}, {"out": 1}, [], None, "x",
    {"methods": ["top_hat"], "datasets": ["mine"], "seed": {"a": [1]}},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CONFIGS)))
def test_an_odd_manifest_ends_no_report(copied, number, capsys, tried):
    tried("odd manifests", 3)
    for run_of in (
        {"config": CONFIGS[number]},
        {"config": {}, "faults": CONFIGS[number]},
        {"command": CONFIGS[number], "rows": [1]},
    ):
        (copied / "manifest.json").write_text(json.dumps([run_of, run_of | {"items": 1, "version": "\x1b[2J"}]))
        assert door.main(["report", "--out", str(copied), "--figures", "none"]) == 0
        assert door.main(["report", "--compare", str(copied), str(copied)]) == 0
    assert "\x1b" not in capsys.readouterr().out
