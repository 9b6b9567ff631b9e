"""What counts as the code of a plug-in's method: all that it loads from outside the libraries, wherever that is."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from itertools import count

import pytest

from irsam_zoo import ROOT
from irsam_zoo.results import code_version as module_of_versions
from irsam_zoo.results.code_version import code_version, library_versions
from irsam_zoo.zoo import METHODS, ZooError, load_plugin

NUMBERS = count()
# Of a checkout: where an edit decides no score and no count, and where it may decide one.
BESIDE = [
    "zoo/weights/inert_pickle.py",
    "zoo/weights/known_weights.py",
    "zoo/specs.py",
    "zoo/registry.py",
    "zoo/card.py",
    "datasets/keypoints.py",
    "datasets/layouts.py",
    "datasets/synthetic.py",
    "metrics/bootstrap.py",
    "metrics/compute.py",
    "reports/table.py",
    "runtime/executors.py",
    "engine/benchmark.py",
    "engine/plan.py",
    "training/train.py",
    "baselines/deep/dnanet.py",
    "baselines/classical/max_median.py",
]
DECIDING = [
    "baselines/classical/top_hat.py",
    "baselines/classical/parts/options.py",
    "zoo/detector.py",
    "zoo/thresholds.py",
    "datasets/reader.py",
    "datasets/levels.py",
    "datasets/mask_levels.py",
    "datasets/tiff.py",
    "metrics/matching.py",
    "metrics/components.py",
    "metrics/sweep.py",
    "metrics/signal.py",
    "results/measure.py",
]
OF_NETWORKS = ["zoo/neural.py", "baselines/deep/acmnet.py", "baselines/deep/parts/blocks.py"]
EDITS = '''
import json, sys
from pathlib import Path
from irsam_zoo import build_method
from irsam_zoo.engine.evaluate import cell_code_version

detectors = [build_method(name, weights=None) for name in ("top_hat", "acmnet")]
versions = lambda: [cell_code_version(detector) for detector in detectors]
before, changed = versions(), {}
for name, text in json.loads(sys.argv[1]):
    path, source = Path(name), Path(name).read_text()
    path.write_text(source.replace('"""', '"""' + text, 1) if text.startswith("It ") else source + text)
    changed[name + text] = [old != new for old, new in zip(before, versions())]
    path.write_text(source)
print(json.dumps(changed))
'''
METHOD = """
from irsam_zoo.zoo import METHODS, Detector, MethodCard

@METHODS.register_module("{method}")
class Scaled(Detector):
    card = MethodCard(title="Scaled")

    def score(self, image):
        {lazily}
        return SCALE * image
"""
PATH = "import sys; sys.path.insert(0, {lab!r})\n"
BY_FILE = (
    "import importlib.util as u; spec = u.spec_from_file_location('any', {lab!r} + '/{helper}.py'); "
    "helper = u.module_from_spec(spec); spec.loader.exec_module(helper); SCALE = helper.SCALE"
)
WHOLE_PATH = BY_FILE.replace("{lab!r} + '/{helper}.py'", "'{lab}/{helper}.py'")
WAYS = {
    "path": (PATH + "from {helper} import SCALE", "pass"),
    "path taken back": (PATH + "from {helper} import SCALE\nsys.path.pop(0)", "pass"),
    "of another": (PATH + "from of_{helper} import SCALE", "pass"),
    "name that is computed": (PATH + "SCALE = __import__('importlib').import_module('_'.join({parts})).SCALE", "pass"),
    "file by its path": (BY_FILE, "pass"),
    "function of a file": (BY_FILE + "\nSCALE = helper.scale(); scale = helper.scale; del helper", "pass"),
    "later": (PATH, "from {helper} import SCALE"),
    "later, by name": (PATH, "import importlib; SCALE = importlib.import_module('{helper}').SCALE"),
    "later, with its folder": ("", "import sys; sys.path.insert(0, {lab!r}); from {helper} import SCALE"),
    "later, a package": ("", "import sys; sys.path.insert(0, {lab!r}); from package_of_{helper}.inner import SCALE"),
    "later, by its path": ("", WHOLE_PATH),
    "text that is executed": ("exec(open('{lab}/{helper}.py').read())", "pass"),
    "class elsewhere": (PATH + "import method_of_{helper}", None),
}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder of somebody's modules, and the name of one of them."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder, name = tmp_path / "lab", f"scale_{next(NUMBERS)}"
    folder.mkdir()
    (folder / f"{name}.py").write_text("SCALE = 1\ndef scale():\n    return SCALE\n")
    (folder / f"of_{name}.py").write_text(f"from {name} import SCALE\n")
    (folder / f"package_of_{name}").mkdir()
    (folder / f"package_of_{name}" / "__init__.py").write_text("")
    (folder / f"package_of_{name}" / "inner.py").write_text(f"from {name} import SCALE\n")
    elsewhere = METHOD.format(method=f"by_{name}", lazily="pass")
    (folder / f"method_of_{name}.py").write_text(f"from {name} import SCALE\n{elsewhere}")
    (folder / "of_no_concern.py").write_text("SCALE = 1\n")
    return folder, name


def plugin_of(lab, way, folder):
    """A plug-in file that gets SCALE in one of `WAYS`, imported; gives the name of the module of its method."""
    here, lazily = WAYS[way]
    names = dict(lab=str(lab[0]), helper=lab[1], parts=lab[1].split("_"))
    text = here.format(**names) + "\n"
    if lazily is not None:
        text += METHOD.format(method=f"by_{lab[1]}", lazily=lazily.format(**names))
    folder.mkdir()
    path = folder / f"plugin_of_{lab[1]}.py"
    path.write_text(text)
    load_plugin(path)
    return METHODS.module_dict[f"by_{lab[1]}"].__module__


@pytest.mark.parametrize("way", WAYS)
def test_what_a_plugin_loads_is_of_its_version(way, lab, tmp_path):
    folder, helper = lab
    module = plugin_of(lab, way, tmp_path / "plugins")
    before = code_version(module, "irsam_zoo.engine.scoring")
    (folder / "of_no_concern.py").write_text("SCALE = 2\n")
    assert code_version(module, "irsam_zoo.engine.scoring") == before
    (folder / f"{helper}.py").write_text("SCALE = -1\ndef scale():\n    return SCALE\n")
    assert code_version(module, "irsam_zoo.engine.scoring") != before


def test_an_edit_leaves_or_renews_records(tmp_path):
    for room in (path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"):
        for path in (*room.rglob("*.py"), *room.rglob("*.toml"), *room.glob("index.json")):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for name in ("configs", "run_benchmark.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    code, remarks = "\nVALUE = 1\n", ("\n# a comment\n", "It is said otherwise. ")
    edits = [(name, code) for name in (*BESIDE, *DECIDING, *OF_NETWORKS)]
    edits += [(name, remark) for name in (*DECIDING, *OF_NETWORKS) for remark in remarks]
    run = [sys.executable, "-c", EDITS, json.dumps(edits)]
    changed = json.loads(subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)
    assert {name for name in BESIDE if changed[name + code] != [False, False]} == set()
    shared = [name for name in DECIDING if not name.startswith("baselines/")]
    assert {name for name in shared if changed[name + code] != [True, True]} == set()
    assert [changed[name + code] for name in DECIDING if name.startswith("baselines/")] == [[True, False]] * 2
    assert [changed[name + code] for name in OF_NETWORKS] == [[False, True]] * len(OF_NETWORKS)
    assert {name for name, versions in changed.items() if name.endswith(remarks) and any(versions)} == set()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1  # one", "x = 1", True),
        ("def f():\n    'What it does.'\n    return 1", "def f():\n    return 1", True),
        ("f(1,\n  2)", "f(1, 2)", True),
        ('x = """a\n\nb"""', 'x = """a\nb"""', False),
        ("x = f'{a} # {b}'", "x = f'{a} # {c}'", False),
        ("x = '# one'", "x = '# two'", False),
        ("if a:\n    b()\nc()", "if a:\n    b()\n    c()", False),
        ("x = 'one' 'two'", "x = 'one', 'two'", False),
    ],
)
def test_remarks_and_line_breaks_do_not_count(one, other, same):
    without = module_of_versions._without_remarks
    assert (without(one.encode()) == without(other.encode())) is same


def test_a_plugin_that_was_moved_is_the_same(lab, tmp_path):
    versions = []
    for place in ("here", "there"):
        versions.append(code_version(plugin_of(lab, "path", tmp_path / place)))
        METHODS.module_dict.pop(f"by_{lab[1]}")
    assert versions[0] == versions[1]


def test_a_helper_that_changed_since_its_import_is_told(lab, tmp_path):
    plugin_of(lab, "path", tmp_path / "plugins")
    path = tmp_path / "plugins" / f"plugin_of_{lab[1]}.py"
    load_plugin(path)
    (lab[0] / f"{lab[1]}.py").write_text("SCALE = -1\n")
    with pytest.raises(ZooError, match=rf"{lab[1]}\.py has changed since plug-in .* was imported"):
        load_plugin(path)


def test_a_package_that_is_installed_to_be_edited_counts(tmp_path, monkeypatch):
    for name in ("its_method", "its_other"):
        (tmp_path / "src" / name).mkdir(parents=True)
    (tmp_path / "src" / "its_method" / "__init__.py").write_text("from its_other import SCALE\n")
    (tmp_path / "src" / "its_other" / "__init__.py").write_text("SCALE = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "src")
    before = code_version("its_method")
    (tmp_path / "src" / "its_other" / "__init__.py").write_text("SCALE = -1\n")
    assert code_version("its_method") != before


def test_a_file_of_another_python_counts_too(lab, tmp_path):
    folder, helper = lab
    (folder / f"{helper}.py").write_text("print 'of Python 2'\n")
    module = plugin_of(lab, "later", tmp_path / "plugins")
    before = code_version(module)
    (folder / f"{helper}.py").write_text("print 'of Python 2.7'\n")
    assert code_version(module) != before


def test_libraries_are_not_read(tmp_path, monkeypatch):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "some_library.py").write_text("SCALE = 1\n")
    (tmp_path / "uses_a_library.py").write_text("import json, numpy.linalg, some_library\n")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    monkeypatch.syspath_prepend(tmp_path)
    before = code_version("uses_a_library")
    (tmp_path / "site-packages" / "some_library.py").write_text("SCALE = -1\n")
    assert code_version("uses_a_library") == before


def test_versions_of_the_libraries_that_compute_are_known(lab, tmp_path, monkeypatch):
    classical, network = (
        library_versions("irsam_zoo.baselines.classical.ipi"),
        library_versions("irsam_zoo.baselines.deep.acmnet", network=True),
    )
    assert {"numpy", "scipy", "scikit-image", "numba"} < classical.keys()
    assert any(name.startswith("opencv") for name in classical)
    assert network == classical | {"torch": network["torch"]}
    (lab[0] / f"{lab[1]}.py").write_text("import pandas\nSCALE = 1\n")
    module = plugin_of(lab, "later", tmp_path / "plugins")
    assert library_versions(module) == classical | {"pandas": version("pandas")}
    installed = packages_distributions() | {"irsam_zoo": ["pytest"]}  # in the place of this project's own, were it installed
    monkeypatch.setattr(module_of_versions, "_distributions", lambda: installed)
    assert "pytest" not in library_versions(module)
    monkeypatch.setattr(module_of_versions, "version", lambda name: "another")
    assert set(library_versions(module).values()) == {"another"}


def test_code_version_follows_an_installed_package(tmp_path, monkeypatch):
    from irsam_zoo.results import code_version as module

    package = tmp_path / "installed_methods"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts" / "__init__.py").write_text("from .. import constants\n")
    (package / "constants.py").write_text("SIZE = 3\n")
    (package / "method.py").write_text("from .parts import constants\n")
    monkeypatch.syspath_prepend(tmp_path)
    sources = module._Sources("installed_methods.method")
    sources.add("installed_methods.method")
    names = {f"installed_methods.{name}" for name in ("method", "parts", "constants")}
    assert {name for name, _ in sources.files.values()} == {"installed_methods", *names}
