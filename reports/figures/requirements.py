"""What a figure may need of a row: each function raises ZooError, with one line for the user, where a row lacks it."""

from typing import TYPE_CHECKING

from irsam_zoo.zoo.errors import ZooError

if TYPE_CHECKING:
    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row


def sweep(material: "Material", row: "Row") -> None:
    """Counts of the set at 256 cuts."""
    if row.sweep is None:
        raise ZooError("no scores were stored, masks alone")


def records(material: "Material", row: "Row") -> None:
    """The records of single images."""
    material.stored.records(row)


def targets(material: "Material", row: "Row") -> None:
    """What became of each target under the row's own cut."""
    if row.from_sweep:
        raise ZooError("its cut was chosen after scoring, and what became of single targets is known of the first one alone")
    if row.strata is None or any("IoU" not in line for line in row.strata["size"]):
        raise ZooError("the IoU of single targets was not stored; run the benchmark again")
    material.stored.records(row)


def speed(material: "Material", row: "Row") -> None:
    """How fast the method was."""
    if row.speed is None:
        raise ZooError("its speed was not measured")


def masks(material: "Material", row: "Row") -> None:
    """A predicted mask of every image."""
    for record in material.stored.records(row):
        material.stored.mask_path(row, record)


def scores(material: "Material", row: "Row") -> None:
    """A score map of every image."""
    for record in material.stored.records(row):
        material.stored.score_path(row, record.id)


def training(material: "Material", row: "Row") -> None:
    """Weights of which it is known what they were trained on."""
    if row.weights is None or row.weights.dataset is None:
        raise ZooError("no weights, or none of which the training set is known")


def losses(material: "Material", row: "Row") -> None:
    """The table of losses beside the weights."""
    material.stored.losses(row)


def hiou(material: "Material", row: "Row") -> None:
    """A hierarchical IoU, and the counts behind it."""
    if row.metrics.get("exact", {}).get("hIoU") is None:
        raise ZooError("no hIoU: it is undefined, or the cut was chosen after scoring")
    material.stored.records(row)
