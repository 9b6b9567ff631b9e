"""Targets that a method found in images, as CSV and as COCO has them."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from irsam_zoo.results.csv_text import safe_text

DIGITS = 7  # that count, of scores and centroids


class Target(NamedTuple):
    """One connected component of a mask.

    Attributes:
        number: From 1, in raster order of the components' first pixels.
        x, y: Centroid in px from the centre of the upper left pixel.
        left, top, width, height: The box, in px.
        area: In px.
        peak, mean_score: The largest and the mean score on it.
    """

    number: int
    x: float
    y: float
    left: int
    top: int
    width: int
    height: int
    area: int
    peak: float
    mean_score: float


class ImageTargets(NamedTuple):
    """The targets of one image: its id, its file, its height and width, and the `Target`s."""

    id: str
    file: str
    shape: tuple[int, int]
    targets: list[Target]


def to_csv(images: Iterable[ImageTargets]) -> str:
    """CSV text of `ImageTargets`: a line a target, of whose image ``image`` is the id."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", *Target._fields))
    for image in images:
        writer.writerows((safe_text(image.id), *map(_short, target)) for target in image.targets)
    return text.getvalue()


def to_coco(images: Sequence[ImageTargets], about: dict[str, Any]) -> dict[str, Any]:
    """The dict of a COCO file of `ImageTargets`.

    Arguments:
        images: In the order of their numbers, which begin at 1.
        about (dict): What COCO calls the info.

    Returns:
        dict: What JSON holds. An annotation's ``score`` is the peak; ``centroid``, ``mean_score`` and ``number`` stand beside
        what COCO knows.
    """
    annotations: list[dict[str, Any]] = []
    for place, image in enumerate(images, start=1):
        for target in image.targets:
            annotation: dict[str, Any] = dict(id=len(annotations) + 1, image_id=place, category_id=1, iscrowd=0)
            annotation |= dict(bbox=[target.left, target.top, target.width, target.height], area=target.area)
            annotation |= dict(score=_short(target.peak), mean_score=_short(target.mean_score))
            annotations.append(annotation | dict(centroid=[_short(target.x), _short(target.y)], number=target.number))
    return dict(
        info=about,
        images=[
            dict(id=place, file_name=image.file, height=image.shape[0], width=image.shape[1])
            for place, image in enumerate(images, start=1)
        ],
        categories=[dict(id=1, name="target")],
        annotations=annotations,
    )


def _short(figure: float) -> float:
    return figure if isinstance(figure, int) else float(f"{figure:.{DIGITS}g}")
