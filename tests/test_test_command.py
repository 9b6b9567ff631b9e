"""The command that checks the methods of others."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from irsam_zoo import METHODS, ROOT
from irsam_zoo.commands import door
from irsam_zoo.zoo.conformance import BUILT, CHECKS

CODE = """
from irsam_zoo.zoo import METHODS, Detector, MethodCard

CARD = MethodCard(title="Mine", url="https://example.org/mine", fidelity="author-code")


@METHODS.register_module("steady")
class Steady(Detector):
    card = CARD

    def score(self, image):
        return image - image.mean()


@METHODS.register_module("unsteady")
class Unsteady(Detector):
    card = MethodCard(title="", fidelity="author-code")
    calls = 0

    def score(self, image):
        self.calls += 1
        if len(image) == 37:
            raise SystemExit(3)
        image[0, 0] += self.calls
        return image


@METHODS.register_module("unbuilt")
class Unbuilt(Detector):
    card = CARD

    def __init__(self):
        raise ValueError("no such file: kernel.npy")
"""


@pytest.fixture
def plugin(tmp_path):
    """A plug-in of three methods, which are forgotten behind the test."""
    path = tmp_path / "mine.py"
    path.write_text(CODE, encoding="utf-8")
    yield path
    for name in ("steady", "unsteady", "unbuilt"):
        del METHODS.module_dict[name]


def test_each_check_of_each_method_of_a_plugin_is_a_line(plugin, capsys):
    assert door.main(["test", "--plugin", str(plugin)]) == 1
    told = [line.split(": ", 2) for line in capsys.readouterr().out.splitlines()]
    verdicts = {name: {check: verdict for method, check, verdict in told if method == name} for name, *_ in told}
    assert verdicts["steady"] == dict.fromkeys([BUILT, *CHECKS], "ok")
    assert verdicts["unbuilt"] == {BUILT: "failed: method unbuilt does not build: no such file: kernel.npy"}
    failed = {check: verdict for check, verdict in verdicts["unsteady"].items() if verdict != "ok"}
    assert failed == {
        "its card is complete": "failed: its card has no title",
        "any size gives a finite float32 map": "failed: it ends the program (SystemExit: 3)",
        "uint8 and float32 are the same image": "failed: an image has one map as uint8 and another as float32",
        "an image has the same map twice": "failed: an image has another map the second time",
        "a constant image has no target": "failed: it finds a target in a constant image of 0.0",
        "a batch equals its images": "failed: an image has one map alone and another in a batch, up to 3 apart",
    }


def test_a_method_that_passes_gives_status_0(capsys):
    assert door.main(["test", "--methods", "top_hat"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"top_hat: {check}: ok" for check in (BUILT, *CHECKS)]


def test_the_methods_that_the_documentation_shows_pass(tmp_path):
    for page in ("README.md", "docs/extending.md"):
        code = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)[0]
        (tmp_path / Path(page).with_suffix(".py").name).write_text(code, encoding="utf-8")
    command = [sys.executable, ROOT / "run_benchmark.py", "test", "--plugin", "README.py", "extending.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {"mine", "bright"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--methods", "top_hut"], "unknown method 'top_hut'; did you mean top_hat"),
        ([], "nothing to test: name files by --plugin, or --methods"),
        (["--plugin", "empty.py"], "empty.py registers no method"),
        (["--plugin", "none.py"], "no plug-in file"),
    ],
)
def test_wrong_usage_is_one_line(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.py").touch()
    assert door.main(["test", *arguments]) == 2
    assert said in capsys.readouterr().err
