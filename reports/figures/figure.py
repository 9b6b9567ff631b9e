"""What a figure is, and the registry of figures."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
from matplotlib.figure import Figure
from mmengine.registry import Registry

if TYPE_CHECKING:
    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row

# A pandas.DataFrame, or several by name. Pandas has no types, and those that a checker infers of it are too wide to use.
Table: TypeAlias = Any

FIGURES = Registry("figure", scope="irsam_zoo")


class ReportFigure(ABC):
    """Base of the figures: a figure implements `data` and `draw`, and is known by the name that it is registered under.

    Attributes:
        caption: One sentence or two that say how it is read; stored in the files.
        needs: Functions of `reports.figures.requirements`: rows that lack one of these are left out.
        least: Rows that it takes.
        each_set: Whether it is drawn for each test set by itself, or once for all rows.
    """

    caption = ""
    needs: "tuple[Callable[[Material, Row], object], ...]" = ()
    least = 1
    each_set = True

    def data(self, material: "Material") -> pd.DataFrame | dict[str, pd.DataFrame] | None:
        """What the figure shows, written as CSV beside the picture.

        Arguments:
            material (reports.figures.row_selection.Material): Rows that have what the figure needs, and what is stored behind
                them.

        Returns:
            One line a point, bar or cell, of methods by their names in a column ``method``; fractions stay fractions. Several
            tables have names, which go behind that of the figure. None where the figure is of pixels alone, as here.

        Raises:
            ZooError: It cannot be drawn; the text says what is missing.
        """
        return None

    @abstractmethod
    def draw(self, data: Table, material: "Material") -> Figure:
        """Draw the figure, as wide as `reports.figures.style.COLUMN` or ``PAGE``.

        Arguments:
            data: From `data`.
            material (reports.figures.row_selection.Material): The same; it has names, colours and small print.

        Raises:
            ZooError: As `data`.
        """
