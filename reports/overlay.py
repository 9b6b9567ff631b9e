"""Pictures of predictions: targets as numbered boxes on the image, and methods side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from irsam_zoo.results.targets import Target

# Of Okabe and Ito's palette for all kinds of colour vision, the one that stands out best from grey.
BOX = (240, 228, 66)
PAPER, INK = (255, 255, 255), (0, 0, 0)
SIDE = 640  # px that the longer side of an overlay has at least, so that boxes and numbers can be read
PANEL = 400  # the same of one of several panels, nearly
LINE = 2  # px
MARGIN = 4  # px at least between a target and its box
TEXT = 16  # px
EDGE = 2  # px of black around a number
GAP = 8  # px between panels
Box = tuple[float, float, float, float]  # left, top, right, bottom, in px
LEGEND = "Score maps, from their\nmedian (black) to their\nlargest score (white)"


def draw_overlay(image: np.ndarray, targets: "Sequence[Target]", scale: int | None = None) -> Image.Image:
    """Draw targets as numbered boxes.

    Arguments:
        image (np.ndarray): HxW uint8 grey levels.
        targets: `results.targets.Target`s. A number for which there is no room beside its box is left out.
        scale: By how much the image is enlarged; by default, so that its longer side has `SIDE` px or more.

    Returns:
        PIL.Image.Image: RGB.
    """
    scale = scale or int(-(-SIDE // max(image.shape)))
    picture = Image.fromarray(image).resize((image.shape[1] * scale, image.shape[0] * scale), Image.Resampling.NEAREST)
    picture = picture.convert("RGB")
    draw = ImageDraw.Draw(picture)
    boxes = [_box(target, scale, picture.size) for target in targets]
    for box in boxes:
        draw.rectangle(box, outline=BOX, width=LINE)
    font = ImageFont.load_default(TEXT)
    taken = list(boxes)
    for target, box in zip(targets, boxes, strict=True):
        text = str(target.number)
        left, top, right, bottom = draw.textbbox((0, 0), text, font, stroke_width=EDGE)
        place = _free_place(box, (right - left, bottom - top), picture.size, taken)
        if place is not None:
            draw.text((place[0] - left, place[1] - top), text, BOX, font, stroke_width=EDGE, stroke_fill=INK)
            taken.append(place)
    return picture


def side_by_side(image: np.ndarray, predictions: Mapping[str, Any], titles: Mapping[str, str]) -> Image.Image:
    """Draw methods side by side: the image first, and below each method's overlay its score map.

    Arguments:
        image (np.ndarray): HxW uint8.
        predictions (dict): By method, `engine.predict.Prediction`s.
        titles (dict): By method.

    Returns:
        PIL.Image.Image: RGB.
    """
    scale = max(round(PANEL / max(image.shape)), 1)
    columns: list[tuple[str, Image.Image, Image.Image | None]] = [("Image", draw_overlay(image, (), scale), None)]
    for method, (score, _, targets) in predictions.items():
        count = f"{len(targets)} target{'s' * (len(targets) != 1)}"
        columns.append(
            (f"{titles[method]}: {count}", draw_overlay(image, targets, scale), draw_overlay(_grey(score), (), scale))
        )
    width, height = columns[0][1].size
    line = TEXT + 2 * GAP
    picture = Image.new("RGB", (len(columns) * (width + GAP) - GAP, line + 2 * height + GAP), PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT)
    for place, (title, above, below) in enumerate(columns):
        left = place * (width + GAP)
        draw.text((left, GAP), title, INK, font)
        picture.paste(above, (left, line))
        if below is not None:
            picture.paste(below, (left, line + height + GAP))
    draw.text((0, line + height + 2 * GAP), LEGEND, INK, font)
    return picture


def _box(target: "Target", scale: int, size: tuple[int, int]) -> Box:
    """The corners of the box around a target, within the picture."""
    margin = max(scale, MARGIN) + LINE
    left, top = scale * target.left - margin, scale * target.top - margin
    right, bottom = scale * (target.left + target.width) + margin, scale * (target.top + target.height) + margin
    return max(left, 0), max(top, 0), min(right, size[0]) - 1, min(bottom, size[1]) - 1


def _free_place(box: Box, extent: tuple[float, float], size: tuple[int, int], taken: Iterable[Box]) -> Box | None:
    """The box for a text of this extent at a corner of another box, where it overlaps nothing, or None."""
    width, height = extent
    left, top, right, bottom = box
    for x, y in ((right + 1, top), (left - width - 1, top), (left, top - height - 1), (left, bottom + 1)):
        x, y = min(max(x, 0), size[0] - width), min(max(y, 0), size[1] - height)
        place = (x, y, x + width, y + height)
        if not any(_overlap(place, other) for other in taken):
            return place
    return None


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _grey(score: np.ndarray) -> np.ndarray:
    """A score map as uint8 from its median to its largest score."""
    low, high = float(np.median(score)), float(score.max())
    return np.round(255 * np.clip((score - low) / ((high - low) or 1), 0, 1)).astype(np.uint8)
