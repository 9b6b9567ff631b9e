"""Reference outputs of the original MATLAB codes, and images like them."""

import json
from pathlib import Path

import numpy as np
from skimage.io import imread

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "classical"
IMAGES = ("clouds_96x128", "edges_120x120", "flat_80x100", "sea_128x96")
SEQUENCE = "clouds_seq6_96x128"


def golden_image(name):
    return imread(FOLDER / f"{name}.png").astype(np.float64)


def golden_map(key):
    with np.load(FOLDER / "golden.npz") as maps:
        return maps[key]


def golden_counts(key):
    return json.loads((FOLDER / "golden_meta.json").read_text())["results"][key]


def random_scene(seed, height, width):
    """Whole grey levels 0..255: a coarse random background, noise, and a few bright points."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 180, size=(height // 8 + 2, width // 8 + 2))
    background = np.kron(coarse, np.ones((8, 8)))[:height, :width]
    image = background + rng.normal(scale=2, size=(height, width))
    image[rng.integers(0, height, 3), rng.integers(0, width, 3)] += 60
    return np.clip(np.round(image), 0, 255)


def clutter(height, width, seed, edge=40):
    """A smooth background, a step edge of a height, noise and one bright target."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    image = 60 + 30 * np.sin(rows / 9 + seed) + edge * (columns > width * 0.6)
    image += rng.normal(0, 1.5, image.shape)
    row, column = rng.integers(3, height - 3), rng.integers(3, width - 3)
    image += 90 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 3)
    return image
