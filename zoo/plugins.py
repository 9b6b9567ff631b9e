"""Methods that come from outside: plug-in files and installed packages."""

import hashlib
import importlib.util
import io
import sys
from contextlib import redirect_stderr
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from zoo.errors import FAILURES, UsageError, ZooError, one_line

ENTRY_POINT_GROUP = "irsam_zoo.methods"
PLUGIN_PREFIX = "irsam_zoo_plugin_"  # of the modules that plug-in files become


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
    if name in sys.modules:
        if sys.modules[name].plugin_code != code:  # in a worker of a Dask cluster
            raise ZooError(f"plug-in {path} has changed since it was imported; restart the workers")
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    module.plugin_code = code
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # at the end: a neighbour of the plug-in must not take another module's place
    told = io.StringIO()
    try:
        with redirect_stderr(told):  # a parser of arguments in it would speak of ours
            spec.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        raise ZooError(f"plug-in {path} does not import: {one_line(error)}") from error
    sys.stderr.write(told.getvalue())
    return module


@cache
def load_entry_points():
    """Import what installed packages offer under the entry-point group ``irsam_zoo.methods``."""
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            entry.load()
        except FAILURES as error:
            raise ZooError(f"the installed plug-in {entry.value} does not import: {one_line(error)}") from error
