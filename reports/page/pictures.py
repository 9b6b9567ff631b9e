"""Pictures of single images in the little room that a page has: encoders, and what a method did with an image."""

import base64
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from irsam_zoo.metrics.components import label_components
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    import numpy.typing as npt

    from irsam_zoo.metrics.typing import Ints, Levels, Mask

# Px of the longer side on the page, at most. Masks keep their size, or small targets would vanish.
IMAGE_SIDE, SCORE_SIDE = 256, 128
MOST_BOXES = 40
WEBP_QUALITY = 75


def image_picture(image: np.ndarray) -> str:
    """An HxW image of any range as WebP in base64, stretched from its least to its largest grey level."""
    height, width = image.shape
    scale = min(1.0, IMAGE_SIDE / max(height, width))
    levels = _stretched(image)
    if scale < 1:
        levels = cv2.resize(levels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    return _encoded(levels, ".webp", cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)


def score_picture(score: np.ndarray, top: float | None = None) -> str:
    """A score map as WebP in base64; its peaks survive the reduction.

    Arguments:
        score (np.ndarray): HxW, of any range.
        top: The score that is white, where 0 is black; by default the map is stretched.
    """
    levels = _stretched(score) if top is None else np.round(255 * (score / top)).astype(np.uint8)
    step = -(-max(levels.shape) // SCORE_SIDE)
    if step > 1:
        levels = cv2.dilate(levels, np.ones((step, step), np.uint8), anchor=(0, 0))[::step, ::step]
    return _encoded(levels, ".webp", cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY)


def mask_picture(mask: "Mask") -> str:
    """An HxW bool mask as PNG of one bit a pixel, in base64."""
    return _encoded(mask.astype(np.uint8) * 255, ".png", cv2.IMWRITE_PNG_BILEVEL, 1)


def target_boxes(mask: "Mask") -> list[list[int]]:
    """Boxes of the targets of an HxW bool mask, in raster order: lists of left, top, width, height in px."""
    return _boxes(label_components(mask).box)


def outcome(predicted: "Mask", mask: "Mask") -> dict[str, Any]:
    """What became of the targets, by the matching of the `exact` protocol.

    Arguments:
        predicted, mask (np.ndarray): HxW bool, of the method and true.

    Returns:
        dict: ``found``, the places in `target_boxes` of those that were detected; ``alarms``, boxes of the false alarms,
        the largest `MOST_BOXES`; ``others``, the number of those left out.
    """
    scene = Scene(mask, predicted)
    predictions, (found, used) = scene.predictions, scene.matched
    false = np.setdiff1d(np.arange(len(predictions)), used)
    false = false[np.argsort(-predictions.area[false], kind="stable")]
    alarms = _boxes(predictions.box[false[:MOST_BOXES]])
    return {"found": found.tolist(), "alarms": alarms, "others": max(0, len(false) - MOST_BOXES)}


def _boxes(boxes: "Ints") -> list[list[int]]:
    return [[left, top, width, height] for top, left, height, width in boxes.tolist()]


def _stretched(levels: "npt.ArrayLike") -> "Levels":
    levels = np.asarray(levels, np.float64)
    low, high = levels.min(), levels.max()
    return np.zeros(levels.shape, np.uint8) if low == high else np.round(255 * (levels - low) / (high - low)).astype(np.uint8)


def _encoded(levels: np.ndarray, ending: str, *options: int) -> str:
    done, data = cv2.imencode(ending, levels, options)
    if not done:
        raise ZooError(f"OpenCV writes no {ending} here")
    return base64.b64encode(data.tobytes()).decode()
