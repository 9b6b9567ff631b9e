"""Checkpoints: loading those that authors publish, and writing and finding our own."""

import re
from pathlib import Path

from zoo.checkpoint_files import read_checkpoint, read_header
from zoo.conversion import convert_file, convert_state_dict
from zoo.own_files import output_channels, save_checkpoint, sha256_file
from zoo.state_dicts import convert_keys, load_weights

__all__ = [
    "SCHEDULES",
    "convert_file",
    "convert_keys",
    "convert_state_dict",
    "find_checkpoint",
    "load_checkpoint",
    "load_weights",
    "output_channels",
    "save_checkpoint",
    "sha256_file",
]
SCHEDULES = ("paper", "short", "smoke")  # best first


def load_checkpoint(path, own_keys=(), rules=()):
    """Read the weights of a checkpoint file without running or importing anything that it names.

    Read are safetensors, NumPy ``.npz`` archives, MXNet ``.params`` files, and files of ``torch.save``: a state dict, a pickled
    module, or either in a dict or tuple beside whatever else, under any name. The form is told from the content. Which of
    several dicts is taken, which prefix is taken off and what is left out is told in `zoo.state_dicts.choose`. MXNet's
    ``gamma`` and ``beta`` become ``weight`` and ``bias``. A safetensors file of this project is taken as it is; weights that
    it holds as 8-bit integers become float32.

    Arguments:
        path: The file.
        own_keys: State dict of the network that the weights are for, or its keys; without it the choice goes by names alone.
        rules: ``(regex, replacement)`` pairs that turn the reference's keys into the network's, applied in turn.

    Returns:
        tuple[dict[str, torch.Tensor], dict]: The state dict on the CPU, and what the writer stored beside it: text and numbers,
        and under ``"notes"`` what was taken where there was a choice, and what was left out.

    Raises:
        ZooError: The file is missing, unreadable, empty, damaged, a web page, a Git-LFS pointer, of another form, names a
            function that runs commands, unpacks to far more than its size, or holds no weights or several that fit alike.
    """
    chosen = read_checkpoint(Path(path), own_keys, rules)
    return chosen.tensors, chosen.metadata | ({"notes": list(chosen.notes)} if chosen.notes else {})


def find_checkpoint(directory, method, dataset, *, split=None, schedule=SCHEDULES[-1]):
    """The best checkpoint of a method for a data set in a folder, or None.

    A file ``<method>_<dataset>.safetensors``, put there by hand, comes first; then those of our trainer,
    ``<method>_<dataset>_<schedule>-<8 hex digits>.safetensors``: schedule paper before short before smoke, and of one
    schedule the newest.

    Arguments:
        directory: The folder.
        method, dataset: Names.
        split: Leave out files of our trainer that were trained on another split; None takes all.
        schedule: The least schedule that will do.
    """
    directory = Path(directory)
    chosen = directory / f"{method}_{dataset}.safetensors"
    if chosen.is_file():
        return chosen
    enough = SCHEDULES[: SCHEDULES.index(schedule) + 1]
    name = re.compile(rf"{re.escape(f'{method}_{dataset}')}_({'|'.join(enough)})-[0-9a-f]{{8}}\.safetensors")
    found = [(match, path) for path in directory.glob("*.safetensors") if (match := name.fullmatch(path.name))]
    if split is not None:
        found = [(match, path) for match, path in found if read_header(path).get("split") in (split, None)]
    ranked = [(-SCHEDULES.index(match[1]), path.stat().st_mtime_ns, path.name, path) for match, path in found]
    return max(ranked)[-1] if ranked else None
