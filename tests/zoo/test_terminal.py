"""What reaches the terminal."""

import ast
from pathlib import Path

import pytest

from irsam_zoo import ROOT
from irsam_zoo.zoo.terminal import say, show, warn

ROOMS = [path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
CODES = ["\x1b[2J", "\x9b31m", "\u202egnp.exe", "a\rb", "\x07", "\u2066x\u2069", "\x00", "a\u2028b", "\x1b]8;;http://x\x07"]


@pytest.mark.parametrize("text", CODES)
def test_codes_are_shown_and_do_nothing(text, capsys):
    say(Path(text))
    warn(text)
    show(f"one\n{text}")
    done = capsys.readouterr()
    assert (done.out.count("\n"), done.err.count("\n")) == (3, 1)
    assert (done.out + done.err).replace("\n", "").isprintable()


def test_plain_text_stays(capsys):
    say("Größe 3 µm, 夜")
    show("a\n  b")
    assert capsys.readouterr().out == "Größe 3 µm, 夜\na\n  b\n"


def test_there_is_no_other_door():
    """`print` is called by `zoo.terminal` alone."""
    files = [ROOT / "run_benchmark.py", *(path for room in ROOMS for path in room.rglob("*.py"))]
    printing = {
        path.relative_to(ROOT).as_posix()
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "print"
    }
    assert printing == {"zoo/terminal.py"}
