"""A hash of the code that a result depends on."""

import ast
import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

from zoo.plugins import PLUGIN_PREFIX

ROOT = Path(__file__).resolve().parents[1]


def code_version(module, *others):
    """Hash of a method's code.

    Arguments:
        module: Name of an imported module, such as ``"baselines.classical.ipi"`` or a plug-in's.
        others: Names of more modules that count.

    Returns:
        str: 16 hexadecimal digits over the source of these modules and of everything that they import of this project
        and of the first one's own package, or of the folder of a plug-in, so that a change elsewhere leaves stored results
        valid.
    """
    sources = {}
    folder = Path(sys.modules[module].__file__).resolve().parent if module.startswith(PLUGIN_PREFIX) else None
    for name in (module, *others):
        _collect(name, module.partition(".")[0], folder, sources)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(name.encode() + b"\n" + sources[name] + b"\n")
    return digest.hexdigest()[:16]


def _collect(name, package, folder, sources):
    if name in sources:
        return
    path = _source_file(name, package, folder)
    if path is None:
        return
    sources[name] = path.read_bytes()
    for imported in _imports(name, path):
        _collect(imported, package, folder, sources)


@cache
def _source_file(name, package, folder):
    """The file of a module of this project, of a package or of a folder; None for any other."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin).resolve()
    inside = path.is_relative_to(ROOT) and "site-packages" not in path.parts
    beside = folder is not None and path.is_relative_to(folder)
    return path if inside or beside or name.partition(".")[0] == package else None


@cache
def _imports(name, path):
    """Names that a module imports, as far as they could be modules."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    names = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:  # relative; one that leaves its package does not import, and is not looked for
                parents = package.split(".")[: 1 - node.level or None]
                source = ".".join([*parents, *filter(None, [source])])
            names += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return tuple(names)
