"""The registry of methods."""

import inspect
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import Registry

from zoo.detector import Detector
from zoo.errors import UsageError, ZooError
from zoo.lookup import registered, unknown
from zoo.plugins import load_entry_points

CONFIG_DIR = Path(__file__).resolve().parents[1] / "configs" / "methods"


def _build(cfg, registry, **overrides):
    """Build a registered class from ``dict(type=name, ...)``; errors name the method and its options."""
    options = {**cfg, **overrides}
    name = options.pop("type")
    cls = registered(registry, name)
    if cls is None:
        raise UsageError(unknown("method", name, list_methods()))
    if not (isinstance(cls, type) and issubclass(cls, Detector)):
        raise ZooError(f"method {name} is {cls!r}, not a class; register a subclass of zoo.Detector")
    if cls.card is None:
        raise ZooError(f"the class of method {name} has no card; give it card = MethodCard(title=..., fidelity=...)")
    known = _options(cls)
    for option in options:
        if option not in known:
            raise UsageError(unknown(f"option of {name}", option, known))
    try:
        method = cls(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"method {name} does not build: {' '.join(str(error).split())}") from error
    method.name, method.parameters = name, options
    if "card" not in vars(method):  # a class that knows its variants gives them a card itself
        method.card = _card(cls, options)
    return method


def _card(cls, options):
    """The card of a class built with options: that of a known variant, or one that names the options that differ."""
    if "__init__" not in vars(cls):
        return cls.card
    own = {p.name: p.default for p in inspect.signature(cls.__init__).parameters.values() if p.default is not p.empty}
    changed = {name: value for name, value in options.items() if name in own and value != own[name]}
    if not changed:
        return cls.card
    for variant, changes in cls.variants:
        if variant == changed:
            return replace(cls.card, **changes)
    scope = "; ".join(filter(None, [cls.card.fidelity_scope, f"{', '.join(changed)} changed"]))
    return replace(cls.card, fidelity_scope=scope)


METHODS = Registry("method", scope="irsam_zoo", build_func=_build, locations=["baselines", "zoo.irsam"])


def build_method(spec, **overrides):
    """Build a detector.

    Arguments:
        spec: A registered name (``"ipi"``), the name of a configuration in ``configs/methods`` (``"ipi_paper"``),
            ``dict(type="ipi", ...)``, or the path of a configuration file that defines ``method = dict(type=...)``.
        overrides: Constructor options; they win over those of ``spec``.

    Returns:
        Detector: With ``name`` and ``parameters`` set.

    Raises:
        UsageError: The name or an option is unknown (the text gives the nearest known ones), an option is out of range, or
            the configuration file cannot be read.
        ZooError: What is registered under the name is no `Detector`, or has no card.
    """
    load_entry_points()
    name, options = method_config(spec)
    method = METHODS.build(options, **overrides)
    method.name = name
    return method


def method_config(spec):
    """The name and the ``dict(type=..., ...)`` that a method spec of `build_method` stands for."""
    if not isinstance(spec, (str, Path)):
        options = dict(spec)
        if "type" not in options:
            raise UsageError(f"a method's dict needs a type, as in dict(type='ipi'); got {options}")
        return options["type"], options
    text = str(spec)
    path = Path(text) if text.endswith(".py") else CONFIG_DIR / f"{text}.py"
    if path.is_file() and (text.endswith(".py") or registered(METHODS, text) is None):
        try:
            config = Config.fromfile(path)
        except Exception as error:  # the file is Python, and fails with any exception
            reason = " ".join(str(error).split())
            raise UsageError(f"the configuration {path} cannot be read: {type(error).__name__}: {reason}") from error
        method = config.get("method")
        if not isinstance(method, dict) or not isinstance(method.get("type"), str):
            raise UsageError(f"{path} defines no `method = dict(type=...)`")
        return path.stem, method.to_dict()
    if text.endswith(".py"):
        raise UsageError(f"no configuration file {path}")
    if registered(METHODS, text) is None:
        raise UsageError(unknown("method", text, [*list_methods(), *list_configs()]))
    return text, dict(type=text)


def list_methods():
    """Sorted names of all registered methods, plug-ins included."""
    load_entry_points()
    METHODS.import_from_location()
    return sorted(METHODS.module_dict)


def list_configs():
    """Sorted names of the configurations in ``configs/methods`` that are not methods of the same name."""
    return sorted({path.stem for path in CONFIG_DIR.glob("[!_]*.py")} - set(list_methods()))


def _options(cls):
    """Names of the keyword arguments that a class takes, those of its bases included where it passes them on."""
    names = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        signature = inspect.signature(base.__init__).parameters.values()
        names += [p.name for p in signature if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "self"]
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
    return names
