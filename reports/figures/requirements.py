"""What a figure may need of a row: each function raises ZooError, with one line for the user, where a row lacks it."""

from irsam_zoo.zoo.errors import ZooError


def sweep(material, row):
    """Counts of the set at 256 cuts."""
    if row.sweep is None:
        raise ZooError("no scores were stored, masks alone")


def records(material, row):
    """The records of single images."""
    material.stored.records(row)


def targets(material, row):
    """What became of each target under the row's own cut."""
    if row.from_sweep:
        raise ZooError("its cut was chosen after scoring, and what became of single targets is known of the first one alone")
    if row.strata is None or any("IoU" not in line for line in row.strata["size"]):
        raise ZooError("the IoU of single targets was not stored; run the benchmark again")
    material.stored.records(row)


def speed(material, row):
    """How fast the method was."""
    if row.speed is None:
        raise ZooError("its speed was not measured")


def masks(material, row):
    """A predicted mask of every image."""
    for record in material.stored.records(row):
        material.stored.mask_path(row, record)


def scores(material, row):
    """A score map of every image."""
    for record in material.stored.records(row):
        material.stored.score_path(row, record.id)


def training(material, row):
    """Weights of which it is known what they were trained on."""
    if row.weights is None or row.weights.dataset is None:
        raise ZooError("no weights, or none of which the training set is known")


def losses(material, row):
    """The table of losses beside the weights."""
    material.stored.losses(row)


def hiou(material, row):
    """A hierarchical IoU, and the counts behind it."""
    if row.metrics.get("exact", {}).get("hIoU") is None:
        raise ZooError("no hIoU: it is undefined, or the cut was chosen after scoring")
    material.stored.records(row)
