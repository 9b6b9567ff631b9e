"""An image with as many targets as asked for, and a score map with as many false alarms."""

from types import SimpleNamespace

import numpy as np

from tests.benchmarks.builders import clouds

CELL = 8  # px: targets and false alarms of 3x3 px lie in cells of a grid, too far from each other to be confused


def scene(side, targets=8, false_alarms=24):
    """Clouds with targets, and a map that finds all of them.

    Returns:
        SimpleNamespace: ``item`` as of a data set; ``score``, HxW float32, 0 but at targets and false alarms; ``mask``.
    """
    rng = np.random.default_rng(5)
    cells = rng.permutation((side // CELL) ** 2)[: targets + false_alarms]
    image, label, score = clouds(side), np.zeros((side, side), np.uint8), np.zeros((side, side), np.float32)
    for number, cell in enumerate(cells.tolist()):
        top, left = (CELL * place + 2 for place in divmod(cell, side // CELL))
        spot = np.s_[top : top + 3, left : left + 3]
        score[spot] = rng.uniform(0.5, 1, (3, 3))
        if number < targets:
            label[spot] = 255
            image[spot] = np.minimum(image[spot] + 60, 255)
    item = {"id": "scene", "image": image.astype(np.uint8), "label": label}
    return SimpleNamespace(item=item, score=score, mask=score > 0)
