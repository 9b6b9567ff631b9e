"""The package as it is built, and as it runs where it is installed."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from setuptools.dist import Distribution

from irsam_zoo import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = PROJECT["tool"]["setuptools"]["package-dir"].values()
# What this project's reports folder holds besides code: the committed tables and their rows.
COMMITTED = re.compile(r"reports/(results|times|studies|report)/|reports/(TABLE1|table1)[^/]*\.(md|tex|csv)$")


@pytest.fixture
def in_wheel(monkeypatch):
    """Paths in the checkout of the files that setuptools puts into the wheel."""
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files(["pyproject.toml"])
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    data = [Path(folder, name) for _, folder, _, names in build.data_files for name in names]
    return {path.as_posix() for path in [*data, *(Path(path) for *_, path in build.find_all_modules())]}


def test_the_wheel_holds_every_file_of_the_rooms_and_no_committed_row(in_wheel):
    paths = [path.relative_to(ROOT) for room in ("irsam_zoo", *ROOMS) for path in (ROOT / room).rglob("*") if path.is_file()]
    wanted = {path.as_posix() for path in paths if "__pycache__" not in path.parts}
    assert in_wheel == {path for path in wanted if not COMMITTED.match(path) and not path.endswith(".lock")}


def test_every_folder_of_code_but_the_tests_is_a_room():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} | {"configs"}
    assert folders - {"irsam_zoo", "tests", "docs"} == set(ROOMS)


def requirements(lines):
    """Parsed requirements by name."""
    parsed = [Requirement(line.partition("#")[0].strip()) for line in lines if line.strip() and line[0] not in "-#"]
    return {requirement.name: requirement for requirement in parsed}


@pytest.mark.parametrize(
    ("declared", "file"),
    [
        (PROJECT["project"]["dependencies"], "requirements.txt"),
        (PROJECT["project"]["optional-dependencies"]["dask"], "requirements-test.txt"),
    ],
)
def test_the_pins_are_the_least_or_only_release_that_is_declared(declared, file):
    pins = {name: pin.specifier for name, pin in requirements((ROOT / file).read_text(encoding="utf-8").splitlines()).items()}
    declared = requirements(declared)
    assert set(declared) == set(pins) if file == "requirements.txt" else set(declared) <= set(pins)
    for name, requirement in declared.items():
        (pin,) = (specifier.version for specifier in pins[name])
        assert requirement.specifier.contains(pin), name
        (least,) = (specifier.version for specifier in requirement.specifier if specifier.operator in ("==", ">="))
        assert Version(least).release[:2] == Version(pin).release[:2], name
