"""Names beside points, where they cover least."""

import numpy as np

# Where a name may stand: its offset from the point in steps. The first are preferred.
SIDES = [(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7), (0.7, 2.2), (0.7, -2.2),
         (-0.7, 2.2), (-0.7, -2.2)]  # fmt: skip
ALIGNED = {-1: ("right", "top"), 0: ("center", "center"), 1: ("left", "bottom")}


def label_points(axes, points, texts, radii, obstacles=(), **options):
    """Write a name beside each point.

    Arguments:
        axes: With its final limits and scales.
        points: (x, y) by point, in data units.
        texts: A name a point.
        radii: Of the points' markers, in pt.
        obstacles: Lines that names should not cover: pairs of (x, y), in data units.
        options: Those of `Axes.annotate`.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # from here on, places on the canvas are known
    scale = figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = [_box(x, y, r * scale, r * scale) for (x, y), r in zip(centres, radii, strict=True)]
    taken += [_hull(axes.transData.transform(line)) for line in obstacles]
    frame = axes.get_window_extent()
    room = np.array([frame.x0, frame.y0, frame.x1, frame.y1])
    for point, text, radius in zip(points, texts, radii, strict=True):
        tried = []
        for place, (dx, dy) in enumerate(SIDES):
            ha, va = ALIGNED[np.sign(dx)][0], ALIGNED[np.sign(dy)][1]
            offset = ((radius + 1.5) * dx, (radius + 1.5) * dy)
            label = axes.annotate(text, point, offset, textcoords="offset points", ha=ha, va=va, **options)
            extent = label.get_window_extent()
            box = np.array([extent.x0, extent.y0, extent.x1, extent.y1])
            outside = _area(box) - _common(box, room)
            cost = sum(_common(box, other) for other in taken) + 3 * outside + 0.01 * place
            tried.append((cost, place, label, box))
            label.remove()
        _, _, label, box = min(tried, key=lambda entry: entry[:2])
        axes.add_artist(label)
        taken.append(box)


def _box(x, y, width, height):
    return np.array([x - width, y - height, x + width, y + height])


def _hull(points):
    return np.concatenate([points.min(axis=0) - 1, points.max(axis=0) + 1])


def _area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def _common(box, other):
    """The area that two boxes share."""
    return _area(np.concatenate([np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])]))
