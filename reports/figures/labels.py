"""Names beside points, where they cover least."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from irsam_zoo.reports.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDES = [(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7)]
REACHES = (1.5, 8.0, 16.0)  # pt between a marker and its name; the first are preferred
ALIGNED = {-1: ("right", "top"), 0: ("center", "center"), 1: ("left", "bottom")}


def label_points(
    axes: "Axes",
    points: Sequence[tuple[float, float]],
    texts: Iterable[str],
    radii: Sequence[float],
    obstacles: Iterable[Sequence[tuple[float, float]]] = (),
    **options: Any,
) -> None:
    """Write a name beside each point, with a line to it where it stands far off.

    Arguments:
        axes: With its final limits and scales.
        points: (x, y) by point, in data units.
        texts: A name a point.
        radii: Of the points' markers, in pt.
        obstacles: Lines that names should not cover: pairs of (x, y), in data units.
        options: Those of `Axes.annotate`.
    """
    figure = axes.figure
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()  # from here on, places on the canvas are known
    scale = figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = [_box(x, y, r * scale, r * scale) for (x, y), r in zip(centres, radii, strict=True)]
    taken += [_hull(axes.transData.transform(line)) for line in obstacles]
    room = np.asarray(axes.get_window_extent().extents)
    for point, text, radius in zip(points, texts, radii, strict=True):
        tried = []
        for reach, (dx, dy) in product(REACHES, SIDES):
            place = dict(xytext=((radius + reach) * dx, (radius + reach) * dy), textcoords="offset points")
            place |= dict(ha=ALIGNED[np.sign(dx)][0], va=ALIGNED[np.sign(dy)][1])
            label = axes.annotate(text, point, **place, **options)
            box = np.asarray(label.get_window_extent().extents)
            label.remove()
            outside = _area(box) - _common(box, room)
            cost = sum(_common(box, other) for other in taken) + 3 * outside + len(tried)
            line = dict(arrowstyle="-", lw=0.4, color=GREY, shrinkA=0, shrinkB=radius) if reach > REACHES[0] else None
            tried.append((cost, len(tried), place | dict(arrowprops=line), box))
        _, _, place, box = min(tried, key=lambda entry: entry[:2])
        axes.annotate(text, point, **place, **options)
        taken.append(box)


def _box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([x - width, y - height, x + width, y + height])


def _hull(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(axis=0) - 1, points.max(axis=0) + 1])


def _area(box: np.ndarray) -> float:
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def _common(box: np.ndarray, other: np.ndarray) -> float:
    """The area that two boxes share."""
    return _area(np.concatenate([np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])]))
