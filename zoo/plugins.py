"""Methods that come from outside: plug-in files and installed packages."""

import hashlib
import importlib.util
import io
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from irsam_zoo import IN_CHECKOUT, ROOT
from irsam_zoo.zoo.errors import FAILURES, UsageError, ZooError, one_line
from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.terminal import warn

ENTRY_POINT_GROUP = "irsam_zoo.methods"
PLUGIN_PREFIX = "irsam_zoo_plugin_"  # of the modules that plug-in files become
LIBRARIES = ("site-packages", "dist-packages")
STANDARD_LIBRARY = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]

_broken: dict[str, tuple[bytes, str]] = {}  # by name of the module: the code that did not import, and why
_loaded: dict[str, set[str]] = {}  # by name of the module: names of those that were imported with it
_code: dict[str, dict[Path, bytes]] = {}  # by name of the module: its files as they were imported


def load_plugin(path: str | Path) -> ModuleType:
    """Import a Python file that registers methods; it may import its neighbours.

    Raises:
        ZooError: The file is missing or does not import.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise UsageError(f"no plug-in file {path}")
    name = f"{PLUGIN_PREFIX}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    code = path.read_bytes()
    if name in _broken and _broken[name][0] == code:
        raise ZooError(_broken[name][1])
    if name in sys.modules:
        for file, known in _code[name].items():  # they change in a worker of a Dask cluster
            if not file.is_file() or file.read_bytes() != known:
                raise ZooError(f"{file} has changed since plug-in {path} was imported; restart the workers")
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"plug-in {path} is no Python file; its name has to end in .py")
    _methods()
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end: a neighbour of the plug-in must not take another module's place
    told = io.StringIO()
    try:
        with redirect_stderr(told), contained(), _watched(name):  # a parser of arguments in it would speak of ours
            spec.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        _forget(name)
        _broken[name] = code, f"plug-in {path} does not import: {one_line(error)}"
        raise ZooError(_broken[name][1]) from error
    sys.stderr.write(told.getvalue())
    files = (Path(file) for loaded in _loaded[name] if (file := getattr(sys.modules.get(loaded), "__file__", None)))
    _code[name] = {path: code} | {file: file.read_bytes() for file in files if file.is_file()}
    return module


def load_plugins(paths: Iterable[str]) -> dict[str, str]:
    """Import plug-in files; those that do not import leave the others alone.

    Returns:
        dict[str, str]: Why, by path as it was given, for each that does not import.

    Raises:
        UsageError: A file is missing.
    """
    broken = {}
    for path in paths:
        try:
            load_plugin(path)
        except UsageError:
            raise
        except ZooError as error:
            broken[path] = str(error)
    return broken


@cache
def load_entry_points() -> None:
    """Import what installed packages offer as ``irsam_zoo.methods``; one that does not import is told, and left out."""
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        _methods()
        try:
            with contained(), _watched(entry.module):
                entry.load()
        except FAILURES as error:
            reason = f"the installed plug-in {entry.value} does not import: {one_line(error)}"
            warn(f"{reason}; its methods are left out")


def loaded_with(module: str) -> list[str]:
    """Names of the modules of the plug-in that brought a module, its own among them; none for a module of no plug-in.

    They are those from outside this project, the standard library and ``site-packages`` that were imported for the first time
    with it, whatever imported them.
    """
    return sorted({name for names in _loaded.values() if module in names for name in names})


def is_library(path: Path) -> bool:
    """Whether a file is of the standard library or of an installed package, and of none that is installed to be edited."""
    return any(part in LIBRARIES for part in path.parts) or any(path.is_relative_to(folder) for folder in STANDARD_LIBRARY)


def is_own(path: Path) -> bool:
    """Whether a file is of this project's own packages, wherever they are installed."""
    return any(path.is_relative_to(room) for room in _rooms())


@contextmanager
def _watched(plugin: str) -> Iterator[None]:
    """Note which modules are imported meanwhile."""
    before = set(sys.modules)
    yield
    files = {name: getattr(sys.modules[name], "__file__", None) for name in sys.modules.keys() - before}
    paths = {name: Path(file).resolve() for name, file in files.items() if file}
    _loaded[plugin] = {plugin} | {name for name, path in paths.items() if not is_library(path) and not is_own(path)}


@cache
def _rooms() -> list[Path]:
    """The folders of this project's own packages."""
    return [path.parent for path in ROOT.glob("*/__init__.py")] if IN_CHECKOUT else [ROOT]


def _methods() -> dict[str, type]:
    """The registry, with the package's own methods in it: of two methods with one name the plug-in's is refused."""
    from irsam_zoo.zoo.registry import METHODS

    METHODS.import_from_location()
    return METHODS.module_dict


def _forget(module: str) -> None:
    """Take the methods of a module that did not import to its end out of the registry: workers could not build them."""
    methods = _methods()
    for method in [method for method, cls in methods.items() if cls.__module__ == module]:
        del methods[method]
