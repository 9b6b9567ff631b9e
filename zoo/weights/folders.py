"""Where weights are looked for."""

from pathlib import Path

from irsam_zoo import ROOT

USUAL = Path("checkpoints")  # of the current folder: where a run looks unless it is told, and where training leaves weights


def weight_folders(folder):
    """The folders that are looked through, in their order: of the usual one, the project's own comes second."""
    folder, own = Path(folder), ROOT / USUAL
    return [folder, own] if folder == USUAL and folder.resolve() != own else [folder]


def places(folder):
    """The `weight_folders` as a message names them."""
    return " or ".join(map(str, weight_folders(folder)))


def found_file(path):
    """A file by its path from the current folder, or else from the project's; the path as it is where neither is there."""
    path = Path(path)
    return path if path.is_file() or not (ROOT / path).is_file() else ROOT / path
