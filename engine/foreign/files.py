"""Which file of a folder is the prediction of which image."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from datasets.layouts import EXTENSIONS, index_files
from datasets.remarks import counted
from zoo import UsageError

ARRAYS = (".npy", ".mat")
FORMS = (*ARRAYS, *EXTENSIONS)  # arrays first: they hold scores in full
# What DNANet's code and others write behind an id, beside files of the image and of the true mask.
PREDICTED = ("pred", "prediction")


@dataclass(frozen=True)
class Found:
    """The predictions in a folder.

    Attributes:
        files: The files of each image that has one, of which the first is read, in the order of the test list.
        missing: Ids of the images that have none.
        extra: Names of the files that are of no test image.
    """

    files: dict[str, list[Path]]
    missing: list[str]
    extra: list[str]


def find_predictions(folder, dataset):
    """The predictions of a test set in a folder.

    Arguments:
        folder (Path): Its files are called by the ids or, all alike, by an id and an ending such as ``_Pred``.
        dataset (IRSTDDataset): The test set.

    Returns:
        Found: With at least one file.

    Raises:
        UsageError: None is of a test image, or an image has several files that cannot be told apart.
    """
    files = index_files(folder, extensions=FORMS)
    ending = _ending(folder, files, dataset.ids)
    paths = {image_id: files[image_id + ending] for image_id in dataset.ids if image_id + ending in files}
    missing = [image_id for image_id in dataset.ids if image_id not in paths]
    if not paths:
        lacks = counted(f"of the {len(dataset)} test images of {dataset.name}, split {dataset.split}", missing)
        raise UsageError(f"{folder} lacks {lacks} ({'/'.join(FORMS)}); predict them, or name the split that was used")
    used = {path for of_image in paths.values() for path in of_image}
    extra = [str(path.relative_to(folder)) for of_name in files.values() for path in of_name if path not in used]
    return Found(paths, missing, extra)


def has_predictions(folder, ids):
    """Whether a folder holds a file that is called by one of the ids."""
    return bool(_endings(index_files(folder, extensions=FORMS), ids))


def _endings(names, ids):
    """How many names are an id and an ending, by ending."""
    known, found = set(ids), Counter()
    for name in names:
        cuts = [len(name), *(match.start() for match in re.finditer(r"[-_. ]", name))]
        found.update(name[cut:] for cut in cuts if name[:cut] in known)
    return found


def _ending(folder, names, ids):
    """What stands behind the id in the names of the predictions: one that says so, on half of the images, or the commonest."""
    found = _endings(names, ids)
    most = max(found.values(), default=0)
    predicted = [ending for ending in found if ending.strip("-_. ").lower() in PREDICTED and 2 * found[ending] >= len(ids)]
    likely = predicted or [ending for ending, count in found.items() if count == most]
    for choice in ([ending for ending in likely if not ending], likely):
        if len(choice) == 1:
            return choice[0]
    if likely:
        raise UsageError(
            f"{folder} has several files an image, with the endings {', '.join(likely)}; keep the predictions alone"
        )
    return ""
