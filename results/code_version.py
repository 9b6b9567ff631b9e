"""A hash of the code that a result depends on."""

import ast
import hashlib
import importlib.util
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from importlib.machinery import PathFinder, all_suffixes
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import FunctionType, ModuleType

from irsam_zoo.zoo.plugins import PLUGIN_PREFIX, is_library, is_own, loaded_with

# What computes scores of classical methods, and counts of all; OpenCV by any of its names.
LIBRARIES = ("numpy", "scipy", "scikit-image", "numba", "opencv-python", "opencv-python-headless", "opencv-contrib-python")

# What decides what is read of an image, and what is counted in it.
READING_AND_COUNTING = (
    "irsam_zoo.datasets.reader",
    "irsam_zoo.datasets.levels",
    "irsam_zoo.datasets.mask_levels",
    "irsam_zoo.results.measure",
)
# Of this project, what finds a method, tells of it or reads its weights, and decides no score: weights are in the key of a
# record by their tensors. All else that a method imports counts.
DECIDES_NO_SCORE = tuple(
    f"irsam_zoo.{name}"
    for name in (
        "commands",
        "reports",
        "runtime",
        "results.serialization",
        "zoo.card",
        "zoo.config_files",
        "zoo.errors",
        "zoo.foreign_code",
        "zoo.lookup",
        "zoo.losses",
        "zoo.memory",
        "zoo.plugins",
        "zoo.reading",
        "zoo.registry",
        "zoo.schedules",
        "zoo.specs",
        "zoo.terminal",
        "zoo.weights",
    )
)


def code_version(module: str, *others: str) -> str:
    """Hash of a method's code.

    Arguments:
        module: Name of an imported module, such as ``"irsam_zoo.baselines.classical.ipi"`` or a plug-in's.
        others: Names of more modules that count.

    Returns:
        str: 16 hexadecimal digits over the source of these modules and of everything that they import of this project
        (but for `DECIDES_NO_SCORE`) and of the first one's own package, so that a change elsewhere leaves stored results valid;
        nor do comments, docstrings and line breaks count. For a module that is not of this project, that is everything that it
        imports, or that was imported with it, outside the standard library and ``site-packages``. What a function finds in a
        way that cannot be read from the source (a folder or a name that it computes) is not seen.
    """
    sources = _Sources(module)
    for name in (module, *loaded_with(module), *others):
        sources.add(name)
    digest = hashlib.sha256()
    for label, source in sorted(sources.files.values()):
        digest.update(label.encode() + b"\n" + source + b"\n")
    return digest.hexdigest()[:16]


def library_versions(module: str, network: bool = False) -> dict[str, str]:
    """Versions of the libraries that compute what a method scores and what is counted, by name; equal code gives other figures
    by another one.

    Arguments:
        module: As for `code_version`. What the code of a plug-in imports counts too.
        network: Whether PyTorch computes the scores.

    Returns:
        dict[str, str]: Of those that are installed.
    """
    sources, names = _Sources(module), {*LIBRARIES, *(["torch"] if network else [])}
    for name in (module, *loaded_with(module)) if sources.foreign else ():
        sources.add(name)
    if libraries := sources.libraries - {"irsam_zoo"}:  # whose own code is in `code_version`
        of_modules = _distributions()
        names.update(name for module in libraries for name in of_modules.get(module, ()))
    found: dict[str, str] = {}
    for name in sorted(names):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Names of installed packages by the modules that they bring."""
    return packages_distributions()


class _Sources:
    """The source files of modules and of what they import.

    Attributes:
        files (dict[Path, tuple[str, bytes]]): The name of the module and the source, by file.
        foreign: Whether the first module is of a plug-in, or otherwise not of this project.
        libraries (set[str]): Modules that files of others import, without what is behind a point.
    """

    def __init__(self, module: str):
        self.files: dict[Path, tuple[str, bytes]] = {}
        self.libraries: set[str] = set()
        self._package = module.partition(".")[0]
        origin = _origin(module)
        self.foreign = bool(loaded_with(module)) or origin is None or not is_own(origin)
        self._folders: list[str] = []  # more places of modules, which sources name
        self._looked_for: set[str] = set()

    def add(self, name: str) -> None:
        """Add a module by its name; one that does not count, or is not there, is passed over."""
        if name in self._looked_for:
            return
        self._looked_for.add(name)
        top = name.partition(".")[0]
        if top != name and top != self._package and (of_top := self._path(top)) and not self._counts(top, of_top):
            return  # of a library, whose package is not to be imported for this
        package, _, attribute = name.rpartition(".")
        if package and (of_package := self._path(package)) and of_package.suffix == ".py" and of_package.name != "__init__.py":
            return  # of what a module holds, and no module
        path = self._path(name)
        if path is None:
            for home in _offered(package).get(attribute, ()):
                self.add(home)
        elif self._counts(name, path):
            self._add_file(name, path)

    def _add_file(self, name: str, path: Path) -> None:
        if path in self.files:
            return
        # A plug-in's module is named by its path too: what is moved is the same.
        label = name.rpartition("_")[0] if name.startswith(PLUGIN_PREFIX) else name
        source = path.read_bytes()
        self.files[path] = label, _without_remarks(source) if path.suffix == ".py" else source
        if path.suffix != ".py":
            return
        if not is_own(path):
            self.libraries.update(imported.partition(".")[0] for imported in _imports(name, path))
            folders, files = _named(path)
            self._folders += folders
            for file in (*files, *_files_of(sys.modules.get(name))):
                if not is_library(file) and not is_own(file):
                    self._add_file(file.stem, file)
        for imported in _imports(name, path):
            self.add(imported)

    def _counts(self, name: str, path: Path) -> bool:
        if is_own(path):
            return path.name != "__init__.py" and not _is_of(name, DECIDES_NO_SCORE)
        return name.partition(".")[0] == self._package or (self.foreign and not is_library(path))

    def _path(self, name: str) -> Path | None:
        """The file of a module, or None."""
        path = _origin(name)
        if path is None and self.foreign:
            path = _origin_in(name, self._folders)
        return path


def _is_of(name: str, modules: Iterable[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@cache
def _offered(package: str) -> dict[str, tuple[str, str]]:
    """What a package of this project imports for others to take from it: where each is at home, by its name there."""
    path = _origin(package) if package.partition(".")[0] == "irsam_zoo" else None
    if path is None or path.name != "__init__.py":
        return {}
    homes: dict[str, tuple[str, str]] = {}
    for node in _nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                homes[alias.asname or alias.name] = (node.module, f"{node.module}.{alias.name}")
    return homes


def _origin(name: str) -> Path | None:
    """The file of a module as it was imported, or else would be; None where it has none."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return _code_file(file) if file else _origin_on(name, tuple(sys.path))


@cache
def _origin_on(name: str, places: tuple[str, ...]) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
        return _code_file(spec.origin) if spec else None
    except Exception:  # of a package of others, which is imported for this
        return None


def _origin_in(name: str, folders: Sequence[str]) -> Path | None:
    """The file of a module in folders that are not looked through by imports, or None."""
    parts, origin = name.split("."), None
    for number in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:number]), folders)
        if spec is None:
            return None
        origin, folders = spec.origin, spec.submodule_search_locations or []
    return _code_file(origin)


def _code_file(file: str | Path | None) -> Path | None:
    """The path resolved, if it is that of a file of code."""
    path = Path(file).resolve() if file else None
    return path if path and path.name.endswith(tuple(all_suffixes())) and path.is_file() else None


def _nodes(path: Path) -> Iterator[ast.AST]:
    """All nodes of a source; none of one that is no Python of this version, which a method may name and not import."""
    try:
        return ast.walk(ast.parse(path.read_bytes()))
    except (SyntaxError, ValueError, RecursionError):
        return iter(())


@lru_cache(maxsize=1024)
def _without_remarks(source: bytes) -> bytes:
    """The tokens of a source but for comments, docstrings and line breaks within a statement; all of one that is no Python."""
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
        lines = source.decode(tokens[0].string).splitlines(keepends=True)
    except (SyntaxError, ValueError, tokenize.TokenError):
        return source
    kept: list[list[str]] = [[]]  # logical lines
    formatted: tuple[int, int] | None = None  # where a text with expressions in it begins
    depth = 0  # of such texts in each other
    for token in tokens[1:]:
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START" and formatted is None:
            formatted = token.start
        if formatted is not None:  # from Python 3.12 on it comes in parts; here it is one, as it was before
            depth += (name == "FSTRING_START") - (name == "FSTRING_END")
            if depth == 0:
                kept[-1].append(_between(lines, formatted, token.end))
                formatted = None
        elif name == "NEWLINE":
            kept.append([])
        elif name in ("INDENT", "DEDENT"):
            kept[-1].append(name)
        elif name not in ("COMMENT", "NL", "ENDMARKER"):
            kept[-1].append(token.string)
    return "\0".join(token for line in kept for token in _statement(line)).encode("utf-8", "surrogateescape")


def _statement(tokens: list[str]) -> list[str]:
    """The tokens of a logical line with its end; of a text that stands alone, the change of indentation before it."""
    words = [token for token in tokens if token not in ("INDENT", "DEDENT")]
    alone = len(words) == 1 and words[0].lstrip("rRuU")[:1] in ("'", '"')
    return [token for token in tokens if token in ("INDENT", "DEDENT")] if alone else [*tokens, "\n"]


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two places, each a line from 1 and a column."""
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


@cache
def _imports(name: str, path: Path) -> tuple[str, ...]:
    """Names that a module imports, as far as they could be modules."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    names: list[str] = []
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:  # relative; one that leaves its package does not import, and is not looked for
                parents = package.split(".")[: 1 - node.level or None]
                source = ".".join([*parents, *filter(None, [source])])
            names += [source, *(f"{source}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names += [arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return tuple(names)


@cache
def _named(path: Path) -> tuple[list[str], list[Path]]:
    """The folders, and the files of code, that texts of a source name: where a function may import from when it is called."""
    folders: list[str] = []
    files: list[Path] = []
    for node in _nodes(path):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 1000):
            continue
        try:
            place = (path.parent / Path(node.value).expanduser()).resolve()
            if place.is_dir():
                folders.append(str(place))
            elif file := _code_file(place):
                files.append(file)
        except (OSError, ValueError, RuntimeError):  # no path at all
            continue
    return folders, files


def _files_of(module: ModuleType | None) -> list[Path]:
    """Files of code of what a module has under a name: of modules, functions and classes that no import statement names."""
    paths: set[str | None] = set()
    for value in list(vars(module).values()) if module else ():
        if isinstance(value, ModuleType):
            paths.add(getattr(value, "__file__", None))
        inner = vars(value).values() if isinstance(value, type) else [value]
        paths.update(function.__code__.co_filename for function in inner if isinstance(function, FunctionType))
    return sorted(filter(None, map(_code_file, paths)))
