"""A user's folder of three pairs."""

import numpy as np
from PIL import Image

from irsam_zoo.datasets import build_dataset

SIZES = {"a1": (20, 30), "a2": (16, 16), "a10": (25, 17)}
LEVELS = np.array([0, 1, 64, 127, 128, 200, 255], np.uint8)


def write_folder(root):
    """A folder of the user's own: three pairs, two of them for tests, in an order that is not the natural one."""
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for id in SIZES:
        image, label = draw(id)
        save(image, root / "images" / f"{id}.png")
        save(label, root / "masks" / f"{id}.png")
    (root / "train.txt").write_text("a2\n")
    (root / "test.txt").write_text("a10\na1\n")
    return root


def draw(id):
    rng = np.random.default_rng(int(id[1:]))
    return rng.integers(0, 256, SIZES[id], dtype=np.uint8), rng.choice(LEVELS, SIZES[id])


def save(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)


def open_set(folder, subset="test"):
    return build_dataset(str(folder), subset=subset)
