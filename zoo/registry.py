"""The registry of methods."""

from importlib import import_module
from typing import Any

from mmengine.registry import Registry

from irsam_zoo import ROOT

# `irsam_zoo.zoo.specs` builds what is registered here.
METHODS = Registry("method", scope="irsam_zoo", locations=["irsam_zoo.baselines.every", "irsam_zoo.zoo.irsam"])
ROOMS = ("baselines/classical", "baselines/deep", "zoo")  # where a method's module, or package, has its name


def method_class(name: str) -> type[Any] | None:
    """What is registered under a name, or None.

    A method of this package is looked for in the module of its name first: whoever runs Top-Hat needs no PyTorch.
    """
    if name not in METHODS.module_dict and isinstance(name, str) and name.isidentifier():
        for room in ROOMS:
            if (ROOT / room / f"{name}.py").is_file() or (ROOT / room / name / "__init__.py").is_file():
                import_module(f"irsam_zoo.{room.replace('/', '.')}.{name}")
    if name not in METHODS.module_dict:
        METHODS.import_from_location()
    return METHODS.module_dict.get(name)
