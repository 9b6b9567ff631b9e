import cv2
import numpy as np
import pytest

from irsam_zoo.reports.edge_maps import draw_edge_maps, draw_wpmd_block, edge_maps, perona_malik


@pytest.fixture
def scene():
    """A bright square in light noise."""
    image = 60 + np.random.default_rng(0).normal(0, 3, (48, 64))
    image[16:32, 24:40] += 120
    return image.round().astype(np.uint8)


def test_perona_malik_by_hand():
    image = np.zeros((3, 3))
    image[1, 1] = 10
    flow = 0.2 * 10 / (1 + (10 / 5) ** 2)
    expected = np.array([[0, flow, 0], [flow, 10 - 4 * flow, flow], [0, flow, 0]])
    np.testing.assert_allclose(perona_malik(image, contrast=5, step=0.2, iterations=1), expected)


def test_perona_malik_keeps_range_and_mean(scene):
    result = perona_malik(scene, iterations=20)
    assert result.min() >= scene.min()
    assert result.max() <= scene.max()
    assert result.mean() == pytest.approx(scene.mean())


def test_edges_stand_out_of_the_noise_and_diffusion_lowers_it(scene):
    maps = edge_maps(scene)
    assert list(maps) == ["Sobel", "Canny", "Perona-Malik", "WPMD"]
    to_noise = {}
    for name, values in maps.items():
        assert values.shape == scene.shape
        edge = np.median([values[row - 1 : row + 1, 28:36].max(axis=0) for row in (16, 32)])
        flat = values[2:12, 2:60].mean()
        assert edge > 5 * flat, name
        to_noise[name] = edge / max(flat, 1e-9)
    assert to_noise["WPMD"] > 1.5 * to_noise["Sobel"]


def test_the_figures_are_written(scene, tmp_path):
    draw_edge_maps(scene, tmp_path / "maps.png")
    draw_wpmd_block(tmp_path / "block.png")
    for name in ("maps", "block"):
        picture = cv2.imread(str(tmp_path / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        assert min(picture.shape) > 200
        assert picture.std() > 10
