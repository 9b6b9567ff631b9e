"""How figures look: widths, colours, letters, and the files that they become."""

import io
import math
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullFormatter

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.image import AxesImage
    from matplotlib.legend import Legend

COLUMN, PAGE = 3.5, 7.2  # in; a column and both columns of a page of the IEEE
# Okabe and Ito, Color Universal Design, 2008, without the yellow, which is too light for lines on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (5, 1.2, 1, 1.2, 1, 1.2)))
MARKERS = "osD^vPX*<>"
# Boxes as in the paper's Fig. 4 (red, blue, yellow), by the same palette; dashes tell them apart without colours.
BOXES = {"detected": ("#D55E00", "-"), "missed": ("#56B4E9", (0, (3, 1.5))), "false alarm": ("#F0E442", (0, (1, 1)))}
SEQUENTIAL, DIVERGING = "cividis", "PuOr"
GREY = "#6b6b6b"
SETTINGS = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.9,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "pdf.fonttype": 42,  # letters, not drawings of them: publishers refuse Type 3
}
Look = dict[str, Any]  # colour, line style and marker, as matplotlib names them

SMALL = 6  # pt, of letters inside a figure; none are smaller
DPI = 300
LETTERS = 120  # of 1 pt, an inch


def styled() -> AbstractContextManager[None]:
    """A context in which matplotlib draws as this file says."""
    return matplotlib.rc_context(cast(Any, {**matplotlib.rcParamsDefault, **SETTINGS}))


def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure with its axes.

    Arguments:
        width, height: In inches; `finish` adds the height of a legend.
        rows, columns: Of axes.
        options: Those of ``Figure.subplots``.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def layout(figure: Figure, **options: Any) -> None:
    """Set options of the layout of a `canvas`: those of ``ConstrainedLayoutEngine.set``."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(**options)


def look(place: int) -> Look:
    """Colour, dashes and marker of the method at a place in the order of all: 35 lines that differ."""
    colour, dashes = place % len(PALETTE), place // len(PALETTE) % len(DASHES)
    return dict(color=PALETTE[colour], linestyle=DASHES[dashes], marker=MARKERS[place % len(MARKERS)])


def matrix(
    axes: "Axes",
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    bold: np.ndarray | None = None,
    **options: Any,
) -> "AxesImage":
    """A matrix of coloured cells with their figures in them.

    Arguments:
        axes: Where it goes.
        values (np.ndarray): RxC; NaN for a cell that stays empty.
        texts: R lists of C texts.
        rows, columns: Names.
        bold (np.ndarray): RxC bool, or None for none.
        options: Those of ``Axes.imshow``: the colours.

    Returns:
        matplotlib.image.AxesImage: For a colour bar.
    """
    image = axes.imshow(values, aspect="auto", **options)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
        red, green, blue, _ = image.to_rgba(values[i, j])
        dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
        weight = "bold" if bold is not None and bold[i, j] else "normal"
        colour = "white" if dark else "black"
        axes.text(j, i, texts[int(i)][int(j)], ha="center", va="center", fontsize=SMALL, color=colour, weight=weight)
    return image


def log_ticks(axis: "Axis") -> None:
    """Ticks of a logarithmic axis within its final limits: plain numbers where it has less than two powers of ten."""
    low, high = sorted(axis.get_view_interval())
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = lambda ticks: [tick for tick in ticks if low <= tick <= high]  # noqa: E731
    axis.set_minor_formatter(NullFormatter())
    if len(inside(10.0**decade for decade in decades)) < 2:
        steps = inside(step * 10.0**decade for decade in decades for step in (1, 2, 5))
        ticks = steps if len(steps) > 1 else inside(MaxNLocator(4).tick_values(low, high))
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])


def wrapped(text: str, width: float, size: float = 7) -> str:
    """Text in lines that are no longer than `width` inches where its letters have this size in pt."""
    return "\n".join(textwrap.wrap(text, int(width * LETTERS / size), break_long_words=False))


def finish(figure: Figure, handles: "Sequence[Artist]" = (), text: str = "", **options: Any) -> None:
    """Add what stands under the axes, where it covers nothing: the figure grows by it.

    Arguments:
        figure: With its axes drawn.
        handles: Of the legend, in as many columns as there is room for.
        text: Small print under the legend.
        options: Those of ``Figure.legend``.
    """
    width, height = figure.get_size_inches()
    lines = wrapped(text, width, SMALL)
    print_height = lines.count("\n") * 0.1 + 0.14 if lines else 0
    legend, legend_height = _legend(figure, handles, **options) if handles else (None, 0)
    whole = height + legend_height + print_height
    figure.set_size_inches(width, whole)
    layout(figure, rect=(0, 1 - height / whole, 1, height / whole))
    if legend:
        legend.set_bbox_to_anchor((0.5, print_height / whole))
    if lines:
        figure.text(0.5, 0.02 / whole, lines, ha="center", va="bottom", fontsize=SMALL, color=GREY).set_in_layout(False)


def _legend(figure: Figure, handles: "Sequence[Artist]", **options: Any) -> "tuple[Legend, float]":
    """The legend with as many columns as there is room for, and its height in inches."""
    columns = min(5, len(handles))
    while True:
        legend = figure.legend(
            handles=handles, loc="lower center", ncols=columns, columnspacing=1.2, borderaxespad=0, **options
        )
        legend.set_in_layout(False)
        size = np.asarray(legend.get_window_extent().size) / figure.dpi
        if size[0] <= figure.get_figwidth() or columns == 1:
            return legend, float(size[1])
        legend.remove()
        columns -= 1


def encoded(figure: Figure, title: str, caption: str) -> dict[str, bytes]:
    """The bytes of a figure's files by their ending. The same figure gives the same bytes."""
    about = {"Title": title}
    metadata = {"pdf": about | {"Subject": caption, "CreationDate": None}, "png": about | {"Description": caption}}
    files = {}
    for form, told in metadata.items():
        data = io.BytesIO()
        figure.savefig(data, format=form, dpi=DPI, metadata=told)
        files[form] = data.getvalue()
    return files
