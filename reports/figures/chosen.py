"""Which images are shown where a figure shows some."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    from irsam_zoo.reports.figures.row_selection import Material

MANY = 12  # false alarms, more of which hide what there is to see


def chosen_images(material: "Material", number: int) -> list[str]:
    """Ids of the images to show: those that the user named, else the most telling ones.

    These are the ones where the methods differ most: first by how many of detections, misses and false alarms are there at
    all, then by the spread of the IoU over the methods. Images with more than 12 false alarms of a method come last.

    Arguments:
        material (Material): The rows of one test set.
        number: How many the rule chooses.

    Raises:
        ZooError: None of the images that the user named was scored.
    """
    records = [material.stored.records(row) for row in material.rows]
    ids = [record.id for record in records[0]]
    if material.images:
        named = [image_id for image_id in material.images if image_id in ids]
        if not named:
            raise ZooError(f"none of the images {', '.join(material.images)} was scored")
        return named
    counts = [{record.id: record.counts for record in of_row} for of_row in records]
    return sorted(ids, key=lambda image_id: _dullness([of_row[image_id] for of_row in counts]))[:number]


def _dullness(counts: Sequence[Mapping[str, float]]) -> tuple[bool, int, float]:
    """The sort key of an image, by its counts of each method."""
    false = [count["components"] - count["matched"] for count in counts]
    kinds = [
        any(count["matched"] for count in counts),
        any(count["matched"] < count["targets"] for count in counts),
        any(number > 0 for number in false),
    ]
    spread = float(np.std([count["intersection"] / max(count["union"], 1) for count in counts]))
    return max(false) > MANY, -sum(kinds), -spread
