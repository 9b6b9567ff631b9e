import cv2
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from irsam_zoo.datasets import build_dataset
from irsam_zoo.metrics import quantize
from irsam_zoo.metrics.component_tree import compiled
from irsam_zoo.metrics.components import label_components
from irsam_zoo.metrics.history import component_history
from irsam_zoo.zoo import build_method
from tests.metrics.builders import assert_same_history


def at_level(history, level):
    """(area, row, column) of the components of one level."""
    alive = (history.birth >= level) & (history.death < level)
    return sorted(zip(history.area[alive].tolist(), *history.centroid[alive].T.round(9).tolist(), strict=True))


@pytest.mark.parametrize("count", [2, 3, 8, 256])
@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (2, 2), (33, 47)])
def test_every_level_has_the_components_of_its_mask(shape, count):
    levels = np.random.default_rng(8).integers(0, count, shape).astype(np.uint8) * (255 // (count - 1))
    history = component_history(levels)
    for level in range(1, 256):
        components = label_components(levels >= level)
        expected = zip(components.area.tolist(), *components.centroid.T.round(9).tolist(), strict=True)
        assert at_level(history, level) == sorted(expected)


@pytest.mark.parametrize(
    "levels",
    [
        np.full((5, 5), 9),  # all links equal
        [[5, 5, 5], [5, 0, 5], [5, 5, 5]],
        [[9, 0, 9], [0, 9, 0], [9, 0, 9]],  # joined by corners alone
        [[9, 3], [3, 9]],
        [[9, 9, 1, 9, 9], [9, 9, 1, 9, 9]],
        np.pad(np.arange(1, 26).reshape(5, 5), 7),  # away from the border of the image
    ],
)
def test_small_shapes(levels):
    levels = np.array(levels, np.uint8)
    history = component_history(levels)
    for level in range(1, 27):
        components = label_components(levels >= level)
        expected = zip(components.area.tolist(), *components.centroid.T.round(9).tolist(), strict=True)
        assert at_level(history, level) == sorted(expected)


def test_a_component_is_listed_once_for_all_levels_at_which_it_stays_the_same():
    history = component_history(np.array([[200, 0, 0, 90]], np.uint8))
    assert history.birth.tolist() == [200, 90]
    assert history.death.tolist() == [0, 0]
    history = component_history(np.array([[200, 50, 90]], np.uint8))
    assert sorted(zip(history.area, history.birth, history.death, strict=True)) == [(1, 90, 50), (1, 200, 50), (3, 50, 0)]


def test_an_empty_map_has_no_history():
    assert len(component_history(np.zeros((16, 16), np.uint8)).area) == 0


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(
    st.one_of(*(arrays(np.uint8, shapes, elements=st.sampled_from(e)) for e in ([0, 9], [9], [0, 1, 2, 254, 255], range(256))))
)
@settings(max_examples=200, deadline=None)
def test_equals_the_plain_history(levels):
    assert_same_history(levels)


@pytest.mark.parametrize("blur", [0, 0.8, 3])
@pytest.mark.parametrize("count", [2, 12, 256])
def test_equals_the_plain_history_of_noise(count, blur):
    levels = np.random.default_rng(count).integers(0, count, (150, 190)).astype(np.uint8)
    assert_same_history(cv2.GaussianBlur(levels, (0, 0), blur) if blur else levels)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["nudt-sirst", "irstd-1k", "nuaa-sirst"])
def test_equals_the_plain_history_of_published_images(data_root, name):
    dataset, method = build_dataset(name, root=data_root), build_method("top_hat")
    for index in range(0, len(dataset), len(dataset) // 4):
        image = dataset[index]["image"]
        assert_same_history(image)
        assert_same_history(quantize(method.predict(image), "raw"))


def test_without_a_folder_for_machine_code_it_is_compiled_all_the_same(monkeypatch):
    compile_function = numba.njit

    def without_folder(function=None, *, cache=False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_function(function)

    monkeypatch.setattr(numba, "njit", without_folder)
    assert compiled(lambda number: number + 1)(2) == 3
