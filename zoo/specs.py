"""What a user names, and what it stands for: registered methods, configurations, published weights."""

import inspect
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.registry import Registry

from irsam_zoo import ROOT
from irsam_zoo.zoo.card import MethodCard
from irsam_zoo.zoo.config_files import read_config
from irsam_zoo.zoo.detector import Detector
from irsam_zoo.zoo.errors import FAILURES, BrokenMethodError, UsageError, ZooError, one_line, visible
from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.index import own_methods
from irsam_zoo.zoo.lookup import names_file, unknown
from irsam_zoo.zoo.plugins import load_entry_points
from irsam_zoo.zoo.registry import METHODS, method_class
from irsam_zoo.zoo.weights.folders import found_file

CONFIG_DIR = ROOT / "configs" / "methods"


class MethodSpec(NamedTuple):
    """What a method spec of `build_method` stands for.

    Attributes:
        name: Of the row of a table.
        options: ``dict(type=..., ...)``.
        card: What a configuration's ``card = dict(...)`` changes of the class's card.
    """

    name: str
    options: dict[str, Any]
    card: dict[str, Any] = {}


MethodSource = str | Path | Mapping[str, Any] | MethodSpec  # as `build_method` takes it


def _build(cfg: Mapping[str, Any], registry: Registry, **overrides: Any) -> Detector:
    """Build a registered class from ``dict(type=name, ...)``; errors name the method and its options."""
    options = {**cfg, **overrides}
    name = options.pop("type")
    cls = detector_class(name)
    if getattr(cls, "card", None) is None:
        raise ZooError(f"the class of method {name} has no card; give it card = MethodCard(title=..., fidelity=...)")
    known = options_of(cls)
    for option in options:
        if option not in known:
            raise BrokenMethodError(unknown(f"option of {name}", option, known))
    options = cls.completed(options)
    try:
        with contained():
            method = cls(**options)
    except UsageError as error:
        raise BrokenMethodError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise BrokenMethodError(f"method {name} does not build: {visible(' '.join(str(error).split()))}") from error
    method.name, method.parameters = name, options
    if "card" not in vars(method):  # a class that knows its variants gives them a card itself
        method.card = _changed_card(cls.card, _changed(cls, options, {}))
    return method


def detector_class(name: str) -> type[Detector]:
    """The registered class of a method.

    Raises:
        BrokenMethodError: The name is unknown.
        ZooError: What is registered is no class of a `Detector`.
    """
    cls = method_class(name)
    if cls is None:
        raise BrokenMethodError(unknown("method", name, list_methods()))
    if not (isinstance(cls, type) and issubclass(cls, Detector)):
        raise ZooError(f"method {name} is {cls!r}, not a class; register a subclass of zoo.Detector")
    return cls


def _changed(cls: type, options: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    """Names of a class's own options that are not as a configuration has them, or else as the class has them by itself."""
    if "__init__" not in vars(cls):
        return []
    own = {p.name: p.default for p in inspect.signature(cls.__init__).parameters.values() if p.default is not p.empty}
    return [name for name, value in options.items() if name in own and plain(value) != plain(usual.get(name, own[name]))]


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _changed_card(card: MethodCard, changed: list[str]) -> MethodCard:
    """A card that names the options that differ behind its fidelity."""
    if not changed:
        return card
    return replace(card, fidelity_scope="; ".join(filter(None, [card.fidelity_scope, f"{', '.join(changed)} changed"])))


METHODS.build_func = _build


def build_method(spec: MethodSource, *, weights: str | Path | None = "auto", **overrides: Any) -> Detector:
    """Build a detector.

    Arguments:
        spec: A registered name (``"ipi"``), the name of a configuration in ``configs/methods`` (``"ipi_paper"``) or of
            published weights (``"open-acm"``), ``dict(type="ipi", ...)``, or the path of a configuration file that defines
            ``method = dict(type=...)`` and, where its options make a known variant, ``card = dict(...)`` with what differs in
            the card; or a `MethodSpec`. Published weights come with the options that they need.
        weights: Of a network whose options name no ``checkpoint``: ``"auto"`` for those that come with the project or were
            trained since, on several data sets; a data set's name (``"sirst3"``, ``"nuaa-sirst"``) for those that a run on it
            takes, a name of published weights, or a file; None for random ones. They are looked for in ``checkpoints`` of the
            current folder, then beside the package. A network that ``"auto"`` finds none for has random weights. Random
            weights warn at the first prediction.
        overrides: Constructor options; they win over those of ``spec``.

    Returns:
        Detector: With ``name`` and ``parameters`` set.

    Raises:
        UsageError: The name or an option is unknown (the text gives the nearest known ones), an option is out of range,
            the configuration file cannot be read, or there are no such weights; but for an unknown name it is a
            `BrokenMethodError`.
        ZooError: What is registered under the name is no `Detector`, or has no card; or the weights cannot be loaded.
    """
    spec = spec if isinstance(spec, MethodSpec) else read_method(spec)
    method = _with_weights(spec, weights, overrides)
    method.name = spec.name
    if spec.card:
        try:
            card = replace(type(method).card, **spec.card)
        except ValueError as error:
            raise BrokenMethodError(f"the card of {spec.name}: {error}") from None
        method.card = _changed_card(card, _changed(type(method), method.parameters, spec.options))
    return method


def _with_weights(spec: MethodSpec, weights: str | Path | None, overrides: dict[str, Any]) -> Detector:
    """The detector of a spec, a network with the weights that `build_method` says."""
    cls = method_class(spec.options["type"])
    takes = isinstance(cls, type) and issubclass(cls, Detector) and "checkpoint" in options_of(cls)
    named = "checkpoint" in spec.options or "checkpoint" in overrides
    if weights is None or (weights == "auto" and (named or not takes)):
        return METHODS.build(spec.options, **overrides)
    if not takes:
        raise UsageError(f"{spec.name} takes no weights")
    if named:
        raise UsageError(f"{spec.name} has a checkpoint, and weights={str(weights)!r} beside it; leave one out")
    from irsam_zoo.zoo.weights.find import find_weights  # which needs this module
    from irsam_zoo.zoo.weights.state_dicts import MisfitError

    found = find_weights(spec.name, weights)
    try:
        return METHODS.build(spec.options, **overrides, **({"checkpoint": str(found)} if found else {}))
    except MisfitError as error:
        if weights != "auto":
            raise
        method = METHODS.build(spec.options, **overrides)
        method.note(f"its options are not those of {found}, so that its weights are random ({one_line(error)})")
        return method


def read_method(spec: str | Path | Mapping[str, Any]) -> MethodSpec:
    """The `MethodSpec` of a method spec of `build_method`; errors as there."""
    load_entry_points()
    if not isinstance(spec, (str, Path)):
        options = dict(spec)
        if "type" not in options:
            raise UsageError(f"a method's dict needs a type, as in dict(type='ipi'); got {options}")
        return MethodSpec(options["type"], options)
    text = str(spec)
    if names_file(text):
        path = Path(text)
        if not path.is_file():
            raise UsageError(f"no configuration file {path}")
        return _read_config(path)
    named = spec_named(text)
    if named is None:
        from irsam_zoo.zoo.weights.known_weights import catalogue  # which needs this module

        raise UsageError(unknown("method", text, [*list_methods(), *list_configs(), *catalogue()]))
    return named


def spec_named(name: str) -> MethodSpec | None:
    """The `MethodSpec` of a registered method, a configuration of the package or published weights.

    None for any other text, whatever file it is the path of: so the names that results tell of run nothing.
    """
    load_entry_points()
    if name in METHODS.module_dict or name in own_methods():
        return MethodSpec(name, dict(type=name))
    if name in list_configs():
        return _read_config(CONFIG_DIR / f"{name}.py")
    from irsam_zoo.zoo.weights.known_weights import entry_named  # which needs this module

    entry = entry_named(name)
    return entry and entry.spec


def _read_config(path: Path) -> MethodSpec:
    try:
        config = read_config(path)
    except FAILURES as error:  # the file is Python, and fails with any exception
        raise BrokenMethodError(f"the configuration {path} cannot be read: {one_line(error)}") from error
    method, card = config.get("method"), config.get("card", {})
    if not isinstance(method, dict) or not isinstance(method.get("type"), str):
        raise BrokenMethodError(f"{path} defines no `method = dict(type=...)`")
    if isinstance(method.get("checkpoint"), str):
        method["checkpoint"] = str(found_file(method["checkpoint"]))
    if not isinstance(card, dict):
        raise BrokenMethodError(f"card in {path} is no dict(...)")
    known = [field.name for field in fields(MethodCard)]
    for key in card:
        if key not in known:
            raise BrokenMethodError(unknown(f"entry of the card in {path},", key, known))
    card = {key: tuple(value) if isinstance(value, list) else value for key, value in card.items()}
    return MethodSpec(path.stem, method, card)


def method_config(spec: str | Path | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the options of `read_method`."""
    return read_method(spec)[:2]


def list_methods() -> list[str]:
    """Sorted names of all registered methods, plug-ins included."""
    load_entry_points()
    return sorted({*own_methods(), *METHODS.module_dict})


def list_configs() -> list[str]:
    """Sorted names of the configurations in ``configs/methods`` that are not methods of the same name."""
    return sorted({path.stem for path in CONFIG_DIR.glob("[!_]*.py")} - set(list_methods()))


def options_of(cls: type) -> list[str]:
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
