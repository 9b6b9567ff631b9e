"""The package as it is built, and as it runs where it is installed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from setuptools.dist import Distribution

from irsam_zoo import ROOT
from irsam_zoo.results.code_version import code_version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = set(PROJECT["tool"]["setuptools"]["package-dir"].values())
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
    assert folders - {"irsam_zoo", "tests", "docs"} == ROOMS


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


@pytest.mark.parametrize("room", sorted(ROOMS - {"configs"}))
def test_a_bare_import_in_the_checkout_says_what_to_import(room):
    done = subprocess.run([sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: import irsam_zoo.{room} in place of {room}, or take what you need from irsam_zoo"
    )


FOREIGN = ("datasets", "zoo", "reports")
PLUGIN = f"""
import {", ".join(FOREIGN)}

from irsam_zoo import METHODS, Detector, MethodCard

assert all(module.FOREIGN for module in ({", ".join(FOREIGN)}))


@METHODS.register_module("mine")
class Mine(Detector):
    card = MethodCard(title="Mine", url="https://example.org/mine", fidelity="author-code")

    def score(self, image):
        return image - image.mean()
"""


def python(folder, *arguments):
    """The output of this environment's Python in a folder from which the checkout is not found."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scored(folder):
    """Titles of the methods that the table of a run of four images shows as scored."""
    table = (folder / "work_dirs/benchmark/report/table1.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([\w-]+) .*\| ok; first 4 of 40 images \|$", table, re.M)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the installed package."""
    where = "import irsam_zoo; print(irsam_zoo.ROOT if not irsam_zoo.IN_CHECKOUT else '')"
    done = subprocess.run([sys.executable, "-c", where], cwd=tmp_path_factory.mktemp("empty"), capture_output=True, text=True)
    if done.returncode or not done.stdout.strip():
        pytest.skip("the package is not installed here from its wheel: tox -e wheel does so")
    return Path(done.stdout.strip())


@pytest.mark.wheel
def test_what_is_installed_is_what_was_built(installed, in_wheel):
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} == {name.removeprefix("irsam_zoo/") for name in in_wheel}


@pytest.mark.wheel
def test_code_has_the_version_that_it_has_in_the_checkout(installed, tmp_path):
    module = "irsam_zoo.baselines.classical.top_hat"
    code = f"from irsam_zoo.results.code_version import code_version; print(code_version({module!r}))"
    assert python(tmp_path, "-c", code).strip() == code_version(module)


@pytest.mark.wheel
def test_the_script_makes_a_table_and_its_report_from_an_empty_folder(installed, tmp_path):
    program = str(Path(sys.executable).with_name("irsam-zoo"))
    python(tmp_path, program, "--methods", "top_hat", "--datasets", "synthetic", "--limit", "4")
    told = python(tmp_path, program, "report", "--out", "work_dirs/benchmark")
    assert "work_dirs/benchmark/report/index.html" in told.split()
    assert scored(tmp_path) == ["Top-Hat"]


@pytest.mark.wheel
def test_a_plugin_runs_beside_foreign_packages_that_have_the_names_of_rooms(installed, tmp_path):
    for name in FOREIGN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("FOREIGN = True\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(PLUGIN, encoding="utf-8")
    chosen = ("--methods", "mine", "top_hat", "--datasets", "synthetic", "--limit", "4", "--jobs", "2")
    python(tmp_path, "-m", "irsam_zoo", *chosen, "--plugin", "mine.py")
    assert sorted(scored(tmp_path)) == ["Mine", "Top-Hat"]
