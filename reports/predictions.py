"""The files of predictions: masks, score maps, overlays, and targets as CSV and COCO."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from irsam_zoo.reports.overlay import draw_overlay, side_by_side
from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.results.score_map import write_score_map
from irsam_zoo.results.targets import ImageTargets, to_coco, to_csv

if TYPE_CHECKING:
    from irsam_zoo.zoo.detector import Detector


class PredictionWriter:
    """Writes predictions into a folder, image by image.

    ```
    <method>/masks/<id>.png        0 and 255
    <method>/scores/<id>.png       as `results.score_map` writes them
    <method>/overlays/<id>.png     the image with numbered boxes
    <method>/targets.csv           a line a target
    <method>/targets.json          the same as COCO has it
    side_by_side/<id>.png          the image and all methods, where there are several
    ```

    Arguments:
        out: The folder.
        detectors (dict[str, Detector]): The methods by name.

    Attributes:
        found (dict[str, list[ImageTargets]]): What was found so far, by method.
    """

    def __init__(self, out: str | Path, detectors: "Mapping[str, Detector]"):
        self.out, self.detectors = Path(out), detectors
        self.found = {name: [] for name in detectors}

    def add(self, frame: Any, by_method: Mapping[str, Any]) -> None:
        """Write the files of one image.

        Arguments:
            frame: An `engine.frames.Frame`.
            by_method (dict): `engine.predict.Prediction`s.
        """
        for name, (score, mask, targets) in by_method.items():
            folder = self.out / name
            _write_picture(folder / "masks" / f"{frame.id}.png", Image.fromarray(mask.astype(np.uint8) * 255))
            write_score_map(folder / "scores" / f"{frame.id}.png", score, self.detectors[name].score_kind)
            _write_picture(folder / "overlays" / f"{frame.id}.png", draw_overlay(frame.image, targets))
            self.found[name].append(ImageTargets(frame.id, frame.file, frame.image.shape, targets))
        if len(self.detectors) > 1:
            titles = {name: detector.card.title for name, detector in self.detectors.items()}
            _write_picture(self.out / "side_by_side" / f"{frame.id}.png", side_by_side(frame.image, by_method, titles))

    def close(self) -> None:
        """Write the targets of all images."""
        for name, detector in self.detectors.items():
            about = dict(method=name, title=detector.card.title, threshold=str(detector.threshold), scores=detector.score_kind)
            write_atomic(self.out / name / "targets.csv", to_csv(self.found[name]))
            write_json(self.out / name / "targets.json", to_coco(self.found[name], about))


def _write_picture(path: Path, picture: Image.Image) -> None:
    file = io.BytesIO()
    picture.save(file, "PNG")
    write_atomic(path, file.getvalue())
