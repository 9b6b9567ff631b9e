"""Score maps as surfaces."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.chosen import chosen_images
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure
from irsam_zoo.reports.figures.style import PAGE, SEQUENTIAL, canvas, finish, wrapped

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material

IMAGES = 1
IN_A_LINE = 4
SIDE = 64  # points of a surface, at most


@FIGURES.register_module("surfaces")
class Surfaces(ReportFigure):
    caption = (
        "An image and the score maps of the methods, each between its own least and largest value; each point is the largest "
        "of the pixels that it stands for."
    )
    needs = (needs.scores,)

    def draw(self, data: None, material: "Material") -> "Figure":  # of pixels alone: no table
        ids = chosen_images(material, IMAGES)
        panels = [panel for image_id in ids for panel in self._panels(material, image_id)]
        columns = min(len(panels), IN_A_LINE)
        lines = -(-len(panels) // columns)
        width = PAGE / IN_A_LINE
        figure, axes = canvas(
            width * columns, 0.95 * width * lines, lines, columns, squeeze=False, subplot_kw=dict(projection="3d")
        )
        for place, axis in enumerate(axes.flat):
            if place >= len(panels):
                axis.set_axis_off()
                continue
            name, heights = panels[place]
            heights = peaks(heights)
            y, x = np.mgrid[: heights.shape[0], : heights.shape[1]]
            axis.plot_surface(
                x,
                y,
                heights,
                cmap=SEQUENTIAL,
                vmin=0,
                vmax=1,
                rstride=1,
                cstride=1,
                linewidth=0,
                antialiased=False,
                rasterized=True,
            )
            axis.set(xticks=[], yticks=[], zlim=(0, 1), zticks=(0, 0.5, 1))
            axis.set_title(wrapped(name, width), y=1.04, pad=0)
            axis.tick_params("z", pad=-3)
            axis.set_box_aspect(None, zoom=1.1)
        finish(figure, text=material.note)
        return figure

    def _panels(self, material: "Material", image_id: str) -> Iterator[tuple[str, np.ndarray]]:
        item = material.stored.item(material.rows[0], image_id)
        yield image_id, scaled(item["image"])
        for row in material.rows:
            yield material.label(row), scaled(material.stored.score(row, image_id))


def scaled(values: "npt.ArrayLike") -> np.ndarray:
    """Values between their least, 0, and their largest, 1; a constant map is 0."""
    values = np.asarray(values, np.float64)
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def peaks(values: np.ndarray) -> np.ndarray:
    """An HxW map at no more than `SIDE` points a side, each the largest of those it stands for: a peak keeps its height."""
    factor = -(-max(values.shape) // SIDE)
    rows, columns = (np.arange(0, length, factor) for length in values.shape)
    return np.maximum.reduceat(np.maximum.reduceat(values, rows, axis=0), columns, axis=1)
