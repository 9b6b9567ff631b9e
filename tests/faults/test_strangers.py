"""Result folders and files of options that a stranger made: nothing that they name runs.

Each payload would leave a marker beside it; none may be there afterwards.
"""

import json

import pytest
import yaml

import run_benchmark
from results.checksum import summed
from tests.results.test_row import make_row
from tests.user_set import row_of, write_plugin, write_set
from zoo import UsageError, build_method

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
    run_benchmark.main([word.format(**words) for word in COMMANDS[command]])
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
    assert run_benchmark.main([str(word) for word in arguments]) == 2
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
    assert run_benchmark.main([*map(str, command), "--trust"]) == 0
    assert log.exists()
    capsys.readouterr()
    again = ["--from-manifest", tmp_path / "out" / "manifest.json", "--out", tmp_path / "again"]
    assert "--trust" in refused(again, tmp_path / "again", capsys)
    assert run_benchmark.main([*map(str, again), "--trust"]) == 0
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
