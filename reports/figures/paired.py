"""Which method is better than which, on the same images."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from irsam_zoo.metrics import paired_bootstrap
from irsam_zoo.reports.figures import requirements as needs
from irsam_zoo.reports.figures.figure import FIGURES, ReportFigure, Table
from irsam_zoo.reports.figures.style import COLUMN, DIVERGING, PAGE, canvas, finish, matrix
from irsam_zoo.reports.significance import defined, is_real

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irsam_zoo.reports.figures.row_selection import Material

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

    def data(self, material: "Material") -> pd.DataFrame:
        return differences({row.method: material.stored.counts(row) for row in material.rows}, material.protocol)

    def draw(self, data: Table, material: "Material") -> "Figure":
        methods = [row.method for row in material.rows]
        table = data.set_index(["method", "other"])
        gaps, real = (table[name].unstack().reindex(index=methods, columns=methods) for name in ("difference", "real"))
        gaps, real = gaps.to_numpy(np.float64), real.eq(True).to_numpy()
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


def _text(gap: float, sure: bool) -> str:
    text = f"{100 * gap + 0.0:+.1f}"  # no negative zero
    return text if sure else f"({text})"


def differences(counts: dict[str, pd.DataFrame], protocol: str) -> pd.DataFrame:
    """Differences between methods, by the paired bootstrap.

    Arguments:
        counts (dict): By method, the counts of the same images, a table each.
        protocol: Whose metrics.

    Returns:
        pandas.DataFrame: A line an ordered pair: ``method`` minus ``other``, the ``difference`` in IoU with the ``low`` and the
        ``high`` end of its 95 % interval, ``p``, and whether it is ``real``; NaN where it is undefined.
    """
    lines = []
    for method, other in combinations(reversed(counts), 2):
        found = defined(paired_bootstrap(counts[method], counts[other], protocol, METRIC))
        gap, low, high, p = (found["difference"], found["low"], found["high"], found["p"]) if found else (np.nan,) * 4
        real = found is not None and is_real(found)
        lines.append((method, other, gap, low, high, p, real))
        lines.append((other, method, -gap, -high, -low, p, real))
    return pd.DataFrame(lines, columns=["method", "other", "difference", "low", "high", "p", "real"])
