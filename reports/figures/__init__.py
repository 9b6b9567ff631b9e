"""Figures of stored results, one file a figure or a few of a kind. Every module of this package is imported."""

import importlib
import pkgutil
from contextlib import chdir

with chdir(__path__[0]):
    import matplotlib  # noqa: F401 - here, for it takes its settings from the working folder, which may be a stranger's

from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure

__all__ = ["FIGURES", "ReportFigure"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
