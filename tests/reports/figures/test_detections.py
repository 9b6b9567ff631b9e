"""Boxes, insets, surfaces, and which images are shown."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.special import expit

from irsam_zoo.reports.figures.chosen import chosen_images
from irsam_zoo.reports.figures.detection_panels import DetectionPanels, outcomes
from irsam_zoo.reports.figures.detections import Detections
from irsam_zoo.reports.figures.requirements import masks, scores
from irsam_zoo.reports.figures.style import BOXES
from irsam_zoo.reports.figures.surfaces import Surfaces, peaks, scaled
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.zoo import ZooError
from tests.reports.figures.conftest import drawing

KINDS = {colour.lower(): kind for kind, (colour, _) in BOXES.items()}


def boxes(axis):
    """How many boxes of each kind a panel has."""
    return Counter(KINDS[to_hex(patch.get_edgecolor())] for patch in axis.patches)


def test_boxes_of_a_scene_by_hand():
    target, mask = np.zeros((2, 64, 96), bool)
    target[10:14, 10:14] = target[40:42, 60:63] = target[5, 90] = True
    mask[11:16, 11:14] = mask[41, 61] = mask[50:52, 20] = mask[60, 60] = mask[60, 64] = True
    found = outcomes(mask, target)
    assert found["detected"].tolist() == [[10, 10, 16, 14], [40, 60, 42, 63]]  # around both
    assert found["missed"].tolist() == [[5, 90, 6, 91]]
    assert found["false alarm"].tolist() == [[50, 20, 52, 21], [60, 60, 61, 61], [60, 64, 61, 65]]
    everything = outcomes(target, target)
    assert {kind: len(found) for kind, found in everything.items()} == {"detected": 3, "missed": 0, "false alarm": 0}


def test_each_panel_has_the_boxes_of_its_method(material):
    material = replace(material, images=("im3", "im0"))
    table = Detections().data(material)
    assert len(table) == 2 * len(material.rows)
    for line in table.itertuples():
        row = next(row for row in material.rows if row.method == line.method)
        counts = material.stored.record(row, line.image).counts
        assert (line.targets, line.matched, line.components) == tuple(counts[k] for k in ("targets", "matched", "components"))
    figure = Detections().draw(table, material)
    panels = {axis.get_title(): axis for axis in figure.axes[:5]}
    assert list(panels) == ["Image", "Truth", "Greedy", "Sharp", "Shy"]
    assert [axis.get_ylabel() for axis in (figure.axes[0], figure.axes[5])] == ["im3", "im0"]
    below = dict(zip(panels, figure.axes[5:10], strict=True))
    assert boxes(panels["Greedy"]) == {"detected": 1, "false alarm": 1}
    assert boxes(below["Truth"]) == {"detected": 2}
    assert boxes(below["Sharp"]) == {"detected": 1, "missed": 1, "false alarm": 1}
    assert boxes(below["Greedy"]) == {"detected": 2, "false alarm": 1}
    assert boxes(below["Shy"]) == {"detected": 1, "missed": 1}
    insets = {name: axis.child_axes[0] for name, axis in below.items()}
    frames = {name: to_hex(inset.spines["left"].get_edgecolor()) for name, inset in insets.items()}
    assert {KINDS[frames[name]] for name in ("Sharp", "Shy")} == {"missed"}  # the faint target, of which they disagree
    assert {KINDS[frames[name]] for name in ("Greedy", "Truth")} == {"detected"}
    assert insets["Greedy"].images[0].get_array().any()
    assert not insets["Shy"].images[0].get_array().any()


def test_insets_are_at_the_corner_with_the_fewest_boxes():
    target = np.zeros((64, 64), bool)
    target[3:6, 56:59] = target[50:53, 56:59] = target[3:6, 5:8] = True
    panels = DetectionPanels(target.astype(np.uint8), target, [target])
    assert panels.corner == (False, False)
    empty = np.zeros_like(target)
    top, left, bottom, right = DetectionPanels(empty.astype(np.uint8), empty, [empty]).window
    assert 0 <= top < bottom <= 64
    assert 0 <= left < right <= 64


def test_the_most_telling_images_come_first(material):
    assert chosen_images(material, 9)[-1] == "im3"  # nobody misses anything there
    assert set(chosen_images(material, 3)) == {"im0", "im1", "im2"}
    assert chosen_images(replace(material, images=("im3", "other")), 1) == ["im3"]
    with pytest.raises(ZooError, match="none of the images other was scored"):
        chosen_images(replace(material, images=("other",)), 1)


def test_masks_that_were_not_saved_are_missed(material):
    row = material.rows[0]
    masks(material, row)
    with pytest.raises(ZooError, match="cut was chosen after scoring"):
        masks(material, replace(row, from_sweep=True, threshold="minmax(0.5)"))
    material.stored.mask_path(row, material.stored.records(row)[2]).unlink()
    with pytest.raises(ZooError, match="--save-predictions"):
        masks(material, row)


def test_an_image_that_is_another_one_now_is_not_drawn(material, images):
    cv2.imwrite(str(images / "images" / "im0.png"), np.zeros((64, 80), np.uint8))
    with pytest.raises(ZooError, match="im0 of scenes is not the image that was scored"):
        drawing(Detections(), replace(material, images=("im0",)))


@pytest.mark.parametrize("form", ["png", "npy"])
def test_surfaces_are_of_the_saved_score_maps(material, run_methods, form):
    row = material.rows[0]
    with pytest.raises(ZooError, match="--save-scores"):
        scores(material, row)
    store = run_methods(scores=str(material.stored.store.out / "scores"), score_form=form)
    material = replace(material, stored=RowFiles(store), images=("im1",))
    scores(material, row)
    image = material.stored.item(row, "im1")["image"]  # which is the score map of these methods
    np.testing.assert_allclose(scaled(material.stored.score(row, "im1")), scaled(image), atol=1e-4)
    assert Surfaces().data(material) is None
    figure = Surfaces().draw(None, material)
    assert [axis.get_title() for axis in figure.axes] == ["im1", "Greedy", "Sharp", "Shy"]
    assert all(axis.collections for axis in figure.axes)
    material.stored.score_path(row, "im0").unlink()
    with pytest.raises(ZooError, match="--save-scores"):
        scores(material, row)


def test_surfaces_of_logits_are_of_probabilities(material, run_methods):
    store = run_methods(scores=str(material.stored.store.out / "scores"), score_form="npy")
    row, stored = material.rows[0], RowFiles(store)
    raw, logits = stored.score(row, "im1"), stored.score(replace(row, score_kind="logit"), "im1")
    np.testing.assert_allclose(logits, expit(raw))


def test_a_peak_keeps_its_height():
    values = np.zeros((200, 130))
    values[199, 77] = 3
    assert peaks(values).shape == (50, 33)
    assert peaks(values).max() == 3
    assert scaled(np.full((4, 4), 7.0)).tolist() == np.zeros((4, 4)).tolist()
