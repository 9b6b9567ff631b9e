"""What methods found, missed and took for targets: the figure of this field's papers (IRSAM, Fig. 4)."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.patches import Patch

from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.chosen import chosen_images
from irsam_zoo.reports.figures.detection_panels import DetectionPanels
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import BOXES, PAGE, canvas, finish, layout, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material

IMAGES = 3
IN_A_LINE = 6  # methods, at most
LARGEST = 1.3  # in, the width of a panel
TITLE = 0.16  # in


@FIGURES.register_module("detections")
class Detections(ReportFigure):
    caption = (
        "Predicted masks. Red, solid: detected targets; blue, dashed: missed ones; yellow, dotted: false alarms (matching of "
        "the exact protocol). Insets: the target on which the methods differ most, framed by what became of it."
    )
    needs = (needs.masks,)

    def data(self, material: "Material") -> pd.DataFrame:
        lines = []
        for image_id in chosen_images(material, IMAGES):
            for row in material.rows:
                counts = material.stored.record(row, image_id).counts
                about = {name: counts[name] for name in ("targets", "matched", "components", "intersection", "union")}
                lines.append(dict(image=image_id, method=row.method) | about)
        return pd.DataFrame(lines)

    def draw(self, data: Table, material: "Material") -> "Figure":
        ids = list(data["image"].unique())
        shown = [self._panels(material, image_id) for image_id in ids]
        number = len(material.rows)
        in_a_line = -(-number // -(-number // IN_A_LINE))  # seven are four and three, not six and one
        blocks = range(0, number, in_a_line)
        columns = 2 + in_a_line
        width = min(PAGE / (2 + min(number, IN_A_LINE)), LARGEST)
        ratios = [of_image.image.shape[0] / of_image.image.shape[1] for of_image in shown] * len(blocks)
        figure, axes = canvas(
            width * columns,
            width * sum(ratios) + TITLE * len(blocks),
            len(ratios),
            columns,
            squeeze=False,
            gridspec_kw=dict(height_ratios=ratios),
        )
        layout(figure, w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        lines = iter(axes)
        for start in blocks:
            rows = material.rows[start : start + in_a_line]
            for line, of_image in enumerate(shown):
                image, truth, *panels = next(lines)
                of_image.draw_image(image)
                of_image.draw_truth(truth)
                for place, axis in enumerate(panels[: len(rows)]):
                    of_image.draw_method(axis, start + place)
                image.set_ylabel(ids[line], labelpad=2)
                if line == 0:
                    for axis, name in zip(
                        (image, truth, *panels), ("Image", "Truth", *map(material.label, rows)), strict=False
                    ):
                        axis.set_title(wrapped(name, width), pad=2)
        handles = [Patch(fc="black", ec=colour, ls=dashes, label=kind) for kind, (colour, dashes) in BOXES.items()]
        finish(figure, handles, material.note)
        return figure

    def _panels(self, material: "Material", image_id: str) -> DetectionPanels:
        item = material.stored.item(material.rows[0], image_id)
        return DetectionPanels(item["image"], item["mask"], [material.stored.mask(row, image_id) for row in material.rows])
