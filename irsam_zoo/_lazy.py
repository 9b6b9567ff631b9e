"""Names of a package that are imported when they are first asked for."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, names: Sequence[str], homes: Sequence[str]) -> Callable[[str], Any]:
    """A package's ``__getattr__``, so that importing the package costs nothing.

    Arguments:
        package: Its ``__name__``.
        names: Those that it offers.
        homes: Its modules that hold them, in the order in which they are looked through.
    """

    def get(name):
        if name in names:
            for home in homes:
                module = import_module(f"{package}.{home}")
                if hasattr(module, name):
                    setattr(sys.modules[package], name, getattr(module, name))
                    return getattr(module, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
