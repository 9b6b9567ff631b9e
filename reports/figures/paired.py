"""Which method is better than which, on the same images."""

import numpy as np

from irsam_zoo.metrics import paired_bootstrap
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure
from irsam_zoo.reports.figures.style import COLUMN, DIVERGING, PAGE, canvas, finish, matrix
from irsam_zoo.reports.significance import is_real

METRIC = "IoU"
FEW = 7  # methods that fit a column


@FIGURES.register_module("paired")
class Paired(ReportFigure):
    caption = (
        "IoU of the method of the row minus that of the method of the column, in 1e-2, on the same images. Bold: the 95 % "
        "interval of the difference, by a paired bootstrap over images, does not hold 0; in brackets: it does. Each pair is "
        "tested by itself."
    )
    needs = (needs.records,)
    least = 2

    def draw(self, material):
        gaps, real = differences([material.stored.counts(row) for row in material.rows], material.protocol)
        width = COLUMN if len(gaps) <= FEW else PAGE
        figure, axes = canvas(width, 0.8 * width if width == COLUMN else 0.6 * width)
        texts = [[_text(gap, sure) for gap, sure in zip(*row, strict=True)]
                 for row in zip(gaps, real, strict=True)]  # fmt: skip
        names = [material.label(row) for row in material.rows]
        limit = np.nanmax(np.abs(gaps), initial=0.01) * 100
        image = matrix(axes, 100 * gaps, texts, names, names, bold=real, cmap=DIVERGING, vmin=-limit, vmax=limit)
        bar = figure.colorbar(image, ax=axes, fraction=0.04, label=f"Difference in {METRIC} (1e-2), row minus column")
        bar.outline.set_visible(False)
        axes.set_title(material.title)
        finish(figure, text=material.note)
        return figure


def _text(gap, sure):
    text = f"{100 * gap + 0.0:+.1f}"  # no negative zero
    return text if sure else f"({text})"


def differences(counts, protocol):
    """Differences between methods.

    Arguments:
        counts: Counts of the same images, a table a method.
        protocol: Whose metrics.

    Returns:
        tuple[np.ndarray, np.ndarray]: MxM float64, method of the row minus that of the column, NaN where undefined; and MxM
        bool, whether the 95 % interval of the difference leaves 0 out.
    """
    gaps, real = np.full((len(counts), len(counts)), np.nan), np.zeros((len(counts), len(counts)), bool)
    for i in range(len(counts)):
        for j in range(i):
            found = paired_bootstrap(counts[i], counts[j], protocol, METRIC)
            if found["difference"] is not None:
                gaps[i, j], gaps[j, i] = found["difference"], -found["difference"]
                real[i, j] = real[j, i] = is_real(found)
    return gaps, real
