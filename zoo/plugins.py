"""Methods that come from outside: plug-in files and installed packages."""

import hashlib
import importlib.util
import io
import sys
from contextlib import redirect_stderr
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from zoo.contained import contained
from zoo.errors import FAILURES, UsageError, ZooError, one_line
from zoo.terminal import warn

ENTRY_POINT_GROUP = "irsam_zoo.methods"
PLUGIN_PREFIX = "irsam_zoo_plugin_"  # of the modules that plug-in files become

_broken = {}  # by name of the module: the code that did not import, and why


def load_plugin(path):
    """Import a Python file that registers methods; it may import its neighbours.

    Raises:
        ZooError: The file is missing or does not import.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise UsageError(f"no plug-in file {path}")
    name = f"{PLUGIN_PREFIX}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    code = path.read_bytes()
    if _broken.get(name, (None,))[0] == code:
        raise ZooError(_broken[name][1])
    if name in sys.modules:
        if sys.modules[name].plugin_code != code:  # in a worker of a Dask cluster
            raise ZooError(f"plug-in {path} has changed since it was imported; restart the workers")
        return sys.modules[name]
    _methods()
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    module.plugin_code = code
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end: a neighbour of the plug-in must not take another module's place
    told = io.StringIO()
    try:
        with redirect_stderr(told), contained():  # a parser of arguments in it would speak of ours
            spec.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        _forget(name)
        _broken[name] = code, f"plug-in {path} does not import: {one_line(error)}"
        raise ZooError(_broken[name][1]) from error
    sys.stderr.write(told.getvalue())
    return module


def load_plugins(paths):
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
def load_entry_points():
    """Import what installed packages offer as ``irsam_zoo.methods``; one that does not import is told, and left out."""
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        _methods()
        try:
            with contained():
                entry.load()
        except FAILURES as error:
            reason = f"the installed plug-in {entry.value} does not import: {one_line(error)}"
            warn(f"{reason}; its methods are left out")


def _methods():
    """The registry, with the package's own methods in it: of two methods with one name the plug-in's is refused."""
    from zoo.registry import METHODS

    METHODS.import_from_location()
    return METHODS.module_dict


def _forget(module):
    """Take the methods of a module that did not import to its end out of the registry: workers could not build them."""
    methods = _methods()
    for method in [method for method, cls in methods.items() if cls.__module__ == module]:
        del methods[method]
