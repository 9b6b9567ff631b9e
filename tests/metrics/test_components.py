import numpy as np
import pytest
from skimage.measure import label as skimage_label
from skimage.measure import regionprops

from irsam_zoo.metrics.components import label_components, target_masks


@pytest.mark.parametrize("density", [0.02, 0.2, 0.4, 0.6, 0.95])
@pytest.mark.parametrize("shape", [(1, 50), (61, 47), (600, 512)])
def test_labels_are_those_of_skimage(shape, density):
    mask = np.random.default_rng(3).random(shape) < density
    np.testing.assert_array_equal(label_components(mask).labels, skimage_label(mask, connectivity=2))


@pytest.mark.parametrize("density", [0.1, 0.5])
def test_areas_and_centroids_are_those_of_skimage(density):
    mask = np.random.default_rng(3).random((61, 47)) < density
    components = label_components(mask)
    regions = regionprops(skimage_label(mask, connectivity=2))
    assert len(components) == len(regions)
    np.testing.assert_array_equal(components.area, [region.area for region in regions])
    for centroid, box, region in zip(components.centroid, components.box, regions, strict=True):
        assert tuple(centroid) == region.centroid
        top, left, bottom, right = region.bbox
        assert box.tolist() == [top, left, bottom - top, right - left]


def test_an_empty_mask_has_no_components():
    components = label_components(np.zeros((16, 16), bool))
    assert len(components) == 0
    assert components.centroid.shape == (0, 2)


def test_a_strided_mask_is_read_as_it_looks():
    mask = np.zeros((16, 32), bool)
    mask[:, ::2] = True
    assert len(label_components(mask[:, ::2])) == 1
    assert len(label_components(mask.T)) == 16


def test_a_bool_label_is_both_masks():
    mask = np.eye(16, dtype=bool)
    target, full = target_masks(mask)
    assert target is full is mask


def test_half_grey_floats():
    target, full = target_masks(np.array([[0.0, 0.49, 0.5, 1.0]]))
    np.testing.assert_array_equal(target, [[False, False, True, True]])
    np.testing.assert_array_equal(full, [[False, False, False, True]])
