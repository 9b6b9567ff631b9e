"""A hash of the code that a result depends on."""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCORING = "engine.scoring"


def code_version(module):
    """Hash of a method's code.

    Arguments:
        module: Name of an imported module, such as ``"baselines.classical.ipi"`` or a plug-in's.

    Returns:
        str: 16 hexadecimal digits over the source of the module, of the scoring code, and of everything of this
        project that they import, so that a change elsewhere leaves stored results valid.
    """
    sources = {}
    for name in (module, SCORING):
        _collect(name, sources)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{sources[name]}\n".encode())
    return digest.hexdigest()[:16]


def _collect(name, sources):
    if name in sources:
        return
    path = _source_file(name)
    if path is None:
        return
    sources[name] = path.read_text()
    for imported in _imports(path):
        _collect(imported, sources)


@cache
def _source_file(name):
    """The file of a module of this project or of a plug-in; None for anything installed."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin).resolve()
    inside = path.is_relative_to(ROOT) and "site-packages" not in path.parts
    return path if inside or name.startswith("irsam_zoo_plugin_") else None


@cache
def _imports(path):
    """Names that a file imports, as far as they could be modules."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)
