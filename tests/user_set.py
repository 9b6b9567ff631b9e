"""A user's own data set and plug-in, and runs of the command line on them."""

import csv
import json
from itertools import count

import cv2
import numpy as np

from irsam_zoo import ROOT
from irsam_zoo.commands import door

PROGRAM = ROOT / "run_benchmark.py"
IDS = [f"im{k}" for k in range(8)]
NUMBERS = count()
PLUGIN = """
import os, time
from irsam_zoo.zoo import METHODS, Detector, MethodCard

@METHODS.register_module("{name}")
class SlowMean(Detector):
    card = MethodCard(title="Slow mean", fidelity="author-code")

    def score(self, image):
        time.sleep({delay})
        with open({log!r}, "a") as file:
            file.write(f"{{int(image[0, 0])}}\\n")
        return image - image.mean()
"""


def write_set(root):
    """A data set of eight images in a user's own layout; each is known by its first pixel."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for number, image_id in enumerate(IDS):
        image = rng.integers(20, 60, (40, 50 + number), dtype=np.uint8)
        mask = np.zeros_like(image)
        mask[10:13, 20:23] = 255
        image[mask > 0] = 250
        image[0, 0] = number
        cv2.imwrite(str(root / "images" / f"{image_id}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{image_id}.png"), mask)
    (root / "test.txt").write_text("\n".join(IDS) + "\n")
    (root / "train.txt").write_text("")
    return root


def write_plugin(folder, delay=0):
    """A plug-in that logs what it scores: its name, which no other test has registered, its file and its log."""
    name = f"slow_mean_{next(NUMBERS)}"
    log = folder / "scored.txt"
    path = folder / f"{name}.py"
    path.write_text(PLUGIN.format(name=name, delay=delay, log=str(log)))
    return name, path, log


def run(folder, out, *methods_and_more):
    return door.main(["--datasets", str(folder), "--out", str(out), "--methods", *methods_and_more])


def row_of(out, method, dataset="mine", split="irsam"):
    return json.loads((out / "results" / dataset / split / f"{method}.json").read_text())


def table(out):
    with open(out / "report" / "table1.csv", newline="") as file:
        return {(r["dataset"], r["method"], r["metric"]): r for r in csv.DictReader(file)}
