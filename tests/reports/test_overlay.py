"""Pictures of predictions."""

import numpy as np
import pytest

from irsam_zoo.engine.predict import Prediction
from irsam_zoo.reports.overlay import BOX, INK, draw_overlay, side_by_side
from irsam_zoo.results.targets import Target


def target(number, left, top, width=1, height=1):
    return Target(number, 0.0, 0.0, left, top, width, height, 1, 1.0, 1.0)


def coloured(picture, colour=BOX):
    """Rows and columns of the pixels of a colour."""
    return np.argwhere((np.array(picture) == colour).all(axis=2))


def test_a_box_leaves_its_target_free():
    image = np.full((100, 160), 90, np.uint8)
    image[40:42, 50:53] = 200
    picture = np.array(draw_overlay(image, [target(1, 50, 40, 3, 2)]))
    assert picture.shape == (400, 640, 3)
    assert (picture[160:168, 200:212] == 200).all()
    frame = [BOX in map(tuple, picture[row, 190:222].tolist()) for row in (154, 173)]
    assert frame == [True, True]
    assert (picture[100, 300] == 90).all()
    whole = draw_overlay(image, [target(1, 50, 40, 3, 2)], scale=1)
    assert whole.size == (160, 100)
    assert (np.array(whole)[40:42, 50:53] == 200).all()


@pytest.mark.parametrize(("left", "top"), [(0, 0), (159, 0), (0, 99), (159, 99)])
def test_a_number_is_whole_at_every_corner(left, top):
    image = np.full((100, 160), 90, np.uint8)
    middle = draw_overlay(image, [target(7, 80, 50)])
    corner = draw_overlay(image, [target(7, left, top)])
    assert len(coloured(corner, INK)) == len(coloured(middle, INK)) > 0


def test_numbers_without_room_are_left_out():
    image = np.full((20, 20), 90, np.uint8)
    crowd = [target(1 + row * 20 + column, column, row) for row in range(20) for column in range(20)]
    assert len(coloured(draw_overlay(image, crowd), INK)) < len(coloured(draw_overlay(image, crowd[::45]), INK))


def test_methods_stand_side_by_side():
    image = np.full((100, 160), 90, np.uint8)
    score = np.full((100, 160), -5.0, np.float32)
    score[0], score[40, 50] = -9, 3
    mask = score > 0
    found = {"a": Prediction(score, mask, [target(1, 50, 40)]), "b": Prediction(-score, mask, [])}
    picture = np.array(side_by_side(image, found, {"a": "A", "b": "B"}))
    width, height = 160 * 2, 100 * 2  # the multiple whose longer side is nearest to 400 px
    assert picture.shape[1] == 3 * width + 2 * 8
    panels = [picture[:, place * (width + 8) : place * (width + 8) + width] for place in range(3)]
    assert [len(coloured(panel)) > 0 for panel in panels] == [False, True, False]
    below = panels[1][-height:]
    assert (below[80:82, 100:102] == 255).all()
    assert below.sum() == 4 * 255 * 3
    assert (panels[2][-height:][:2] == 255).all()
