"""Looking names up in registries."""

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.registry import Registry


def registered(registry: "Registry", name: str) -> Any | None:
    """The class under a name, or None. The registry's own ``get`` takes any module that can be imported for one."""
    registry.import_from_location()
    return registry.module_dict.get(name)


def unknown(kind: str, name: object, known: Sequence[str]) -> str:
    """One line for a name that is not known, with the nearest that are."""
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return f"unknown {kind} {name!r}; {hint}"


def names_file(method: str) -> bool:
    """Whether the text that names a method is the path of a configuration file, which is code, and no registered name."""
    return method.endswith(".py")
