"""What is known of the package's own methods without importing them, since most import PyTorch.

``index.json`` beside this file holds it; ``python -m irsam_zoo.zoo.index`` writes it anew. An entry counts as long as the
source of its method is that which it was written of.
"""

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from irsam_zoo import ROOT
from irsam_zoo.zoo.card import MethodCard
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.registry import METHODS, ROOMS, method_class

INDEX = Path(__file__).with_suffix(".json")


class Facts(NamedTuple):
    """What a list of methods tells of one.

    Attributes:
        card: That of its class.
        parameters: Learnable values of its network as the class's own options make it, or None.
        input_size: Side in px of the square that its network's images are resized to by default, or None.
    """

    card: MethodCard
    parameters: int | None = None
    input_size: int | None = None


def own_methods() -> list[str]:
    """Sorted names of the methods of this package."""
    entries = _entries()
    if {file for room in ROOMS[:2] for file in _modules(room)} <= {entry["module"] for entry in entries.values()}:
        return sorted(entries)
    METHODS.import_from_location()  # a module is new
    return sorted(name for name, cls in METHODS.module_dict.items() if cls.__module__.startswith("irsam_zoo."))


def facts_of(name: str) -> Facts:
    """The `Facts` of a registered method.

    Raises:
        ZooError: It does not build.
    """
    return _stored(name) or _of_class(name)


def card_of(name: str) -> MethodCard | None:
    """The card of the class that is registered under a name, or None."""
    stored = _stored(name)
    return stored.card if stored else getattr(method_class(name), "card", None)


@cache
def _stored(name: str) -> Facts | None:
    """The `Facts` of the index, or None where it has none of the source that is there."""
    entry = _entries().get(name)
    if entry is None or sha256_file(ROOT / entry["module"]) != entry["sha256"]:
        return None
    return Facts(
        MethodCard(**entry["card"] | {"notes": tuple(entry["card"]["notes"])}), entry["parameters"], entry["input_size"]
    )


def _of_class(name: str) -> Facts:
    from irsam_zoo.zoo.specs import build_method  # which needs this module

    method = build_method(name, weights=None)
    return Facts(type(method).card, method.num_parameters, method.input_size)


@cache
def _entries() -> dict[str, Any]:
    return json.loads(INDEX.read_text(encoding="utf-8"))


def _modules(room: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in (ROOT / room).glob("[!_]*.py")]


def index() -> dict[str, dict[str, Any]]:
    """The content of ``index.json``: by method, its module and the SHA-256 of that, and its `Facts`."""
    METHODS.import_from_location()
    entries = {}
    for name, cls in sorted(METHODS.module_dict.items()):
        module = cls.__module__.removeprefix("irsam_zoo.").replace(".", "/") + ".py"
        if cls.__module__.startswith("irsam_zoo."):
            facts = _of_class(name)
            entries[name] = dict(
                module=module, sha256=sha256_file(ROOT / module), **facts._asdict() | {"card": asdict(facts.card)}
            )
    return entries


if __name__ == "__main__":
    INDEX.write_text(json.dumps(index(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
