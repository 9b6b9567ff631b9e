"""Which room may import which: what is read first stands below, and no arrow goes up."""

import ast
import re

import pytest

from irsam_zoo import ROOT

MAY_IMPORT = {
    "zoo": "",
    "runtime": "zoo",
    "datasets": "zoo",
    "metrics": "zoo",
    "baselines": "zoo",
    "results": "zoo datasets metrics",
    "training": "zoo datasets metrics results runtime",
    "engine": "zoo datasets metrics results runtime training",
    "reports": "zoo datasets metrics results",
    "commands": "zoo datasets metrics results runtime training engine reports",
}


def imported(path):
    """The rooms that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "irsam_zoo":
            room = node.module.partition(".")[2].partition(".")[0]
            yield from [room] if room in MAY_IMPORT else [alias.name for alias in node.names if alias.name in MAY_IMPORT]


def test_every_room_has_its_place():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"irsam_zoo", "tests"}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_arrow_goes_up(room):
    files = list((ROOT / room).rglob("*.py"))
    found = {(path.name, other) for path in files for other in imported(path)}
    assert {pair for pair in found if pair[1] not in (room, *MAY_IMPORT[room].split())} == set()


@pytest.mark.parametrize("family", ["classical", "deep"])
def test_no_method_imports_another_one(family):
    for path in (ROOT / "baselines" / family).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("irsam_zoo.baselines"):
                assert module.startswith(f"irsam_zoo.baselines.{family}.parts"), f"{path.name} imports {module}"


def test_no_test_imports_another_one():
    for path in (ROOT / "tests").rglob("*.py"):
        found = re.findall(r"^\s*from (tests\.\S*\btest_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert found == [], path
