"""What counts as the code of a plug-in's method: all that it loads from outside the libraries, wherever that is."""

import sys
from importlib.metadata import version
from itertools import count

import pytest

from irsam_zoo.results import code_version as module_of_versions
from irsam_zoo.results.code_version import code_version, library_versions
from irsam_zoo.zoo import METHODS, ZooError, load_plugin

NUMBERS = count()
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
    monkeypatch.setattr(module_of_versions, "version", lambda name: "another")
    assert set(library_versions(module).values()) == {"another"}
