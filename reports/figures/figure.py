"""What a figure is, and the registry of figures."""

from mmengine.registry import Registry

FIGURES = Registry("figure", scope="irsam_zoo")


class ReportFigure:
    """Base of the figures: a figure implements `draw`, and is known by the name that it is registered under.

    Attributes:
        caption: One sentence or two that say how it is read; stored in the files.
        needs: Functions of `reports.figures.requirements`: rows that lack one of these are left out.
        least: Rows that it takes.
        each_set: Whether it is drawn for each test set by itself, or once for all rows.
    """

    caption = ""
    needs = ()
    least = 1
    each_set = True

    def draw(self, material):
        """Draw the figure.

        Arguments:
            material (reports.figures.material.Material): Rows that have what the figure needs, and what is stored behind them.

        Returns:
            matplotlib.figure.Figure: As wide as `reports.figures.style.COLUMN` or ``PAGE``.

        Raises:
            ZooError: It cannot be drawn; the text says what is missing.
        """
        raise TypeError(f"{type(self).__name__} does not define draw(material)")
