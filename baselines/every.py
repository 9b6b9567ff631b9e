"""Imports every module of the classical and deep detectors, so that all of them are registered."""

import pkgutil
from importlib import import_module

from irsam_zoo.baselines import classical, deep

for _room in (classical, deep):
    for _module in pkgutil.iter_modules(_room.__path__):
        import_module(f"{_room.__name__}.{_module.name}")
