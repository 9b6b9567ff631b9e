"""Score maps as files: PNGs of 16 bits, which other programs take for probabilities, or NumPy arrays."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy.special import expit, logit  # pyright: ignore[reportMissingTypeStubs]

from irsam_zoo.datasets.reader import open_picture
from irsam_zoo.metrics.typing import Floats
from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.results.serialization import from_plain
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.reading import MB, parse_json, read_json

Scores = npt.NDArray[np.float32]

TOP = 65535
SCALE = "score range"  # the text of a PNG of raw scores: the scores that its levels 0 and 65535 stand for
ABOUT = "scores.json"  # beside the files: what they hold


class ScoreScale(NamedTuple):
    """The scores that the lowest and the highest level of a PNG stand for, and whether all are whole numbers.

    Those of a filter on grey levels mostly are, and then often lie on a cut such as 0.7 times the largest.
    """

    low: float
    high: float
    whole: bool


class AboutScores(NamedTuple):
    """What the score maps of a folder are: their kind, ``"raw"`` or ``"logit"``, and the policy that cuts them."""

    kind: str
    threshold: str


def write_score_map(path: Path, score: Scores, kind: str) -> str:
    """Write one score map atomically; gives the SHA-256 of the file.

    Arguments:
        path (Path): Ends in ``.npy``, for the scores as they are, or in ``.png``: probabilities times 65535 where the kind is
            ``"logit"``; else the scores' place between the least and the largest of the image, which the PNG's text tells.
            Levels are rounded half down, so that a cut at one half of the range falls between the same pixels.
        score (np.ndarray): HxW float32, finite.
        kind: ``"raw"`` or ``"logit"``.
    """
    file = io.BytesIO()
    if path.suffix == ".npy":
        np.save(file, score)
    else:
        levels, scale = _levels(np.asarray(score, np.float64), kind)
        text = PngInfo()
        if scale is not None:
            text.add_text(SCALE, json.dumps(scale._asdict()))
        Image.fromarray(levels).save(file, "PNG", pnginfo=text)
    write_atomic(path, file.getvalue(), durable=False)  # its record has the digest
    return hashlib.sha256(file.getvalue()).hexdigest()


def read_scale(path: Path) -> ScoreScale | None:
    """The `ScoreScale` that `write_score_map` left in a PNG, or None.

    Raises:
        ZooError: The text is there and tells no range.
    """
    try:
        text = open_picture(path, lambda image: image.info.get(SCALE))
    except ZooError:
        return None  # the reader of its pixels says what is wrong
    try:
        return None if text is None else from_plain(ScoreScale, parse_json(text))
    except ValueError:
        raise ZooError(f"{path} has a text {SCALE!r} that tells no low and high; write the scores again") from None


def restored(levels: npt.NDArray[Any], scale: ScoreScale) -> Scores:
    """HxW float32 scores of the HxW levels of a PNG, 0..65535, and its `ScoreScale`."""
    score = scale.low + levels / TOP * (scale.high - scale.low)
    return (np.rint(score) if scale.whole else score).astype(np.float32)


def probability_logits(probability: npt.NDArray[Any]) -> Scores:
    """HxW float32 logits of probabilities; closer to 0 or 1 than half a level of 16 bits they are cut."""
    least = 0.5 / TOP
    return logit(np.clip(probability, least, 1 - least)).astype(np.float32)


def write_about(folder: str | Path, about: AboutScores) -> None:
    """Write what the score maps of a folder are."""
    write_json(Path(folder) / ABOUT, about._asdict())


def read_about(folder: str | Path) -> AboutScores | None:
    """The `AboutScores` of a folder, or None where nothing is said.

    Raises:
        ZooError: The file is not one of `write_about`.
    """
    path = Path(folder) / ABOUT
    if not path.exists():
        return None
    try:
        about = from_plain(AboutScores, read_json(path, MB))
    except (OSError, ValueError):
        about = None
    if about is None or about.kind not in ("raw", "logit"):
        raise ZooError(f"{path} does not tell the kind and the threshold of scores; delete it, or write the scores again")
    return about


def _levels(score: Floats, kind: str) -> tuple[npt.NDArray[np.uint16], ScoreScale | None]:
    """HxW uint16 levels, and the scale of raw scores."""
    if kind == "logit":
        return _half_down(expit(score)), None
    low, high = float(score.min()), float(score.max())
    whole = high - low < TOP and bool((score == np.rint(score)).all())
    return _half_down((score - low) / ((high - low) or 1)), ScoreScale(low, high, whole)


def _half_down(fraction: Floats) -> npt.NDArray[np.uint16]:
    return np.ceil(fraction * TOP - 0.5).astype(np.uint16)
