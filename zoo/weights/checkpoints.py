"""Checkpoints: loading those that authors publish, and writing our own."""

from pathlib import Path
from typing import Any

import torch

from irsam_zoo.zoo.weights.checkpoint_files import read_checkpoint
from irsam_zoo.zoo.weights.conversion import convert_file, convert_state_dict
from irsam_zoo.zoo.weights.own_files import output_channels, save_checkpoint
from irsam_zoo.zoo.weights.state_dicts import Names, Rules, convert_keys, load_weights

__all__ = [
    "convert_file",
    "convert_keys",
    "convert_state_dict",
    "load_checkpoint",
    "load_weights",
    "output_channels",
    "save_checkpoint",
]


def load_checkpoint(
    path: str | Path, own_keys: Names = (), rules: Rules = ()
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read the weights of a checkpoint file without running or importing anything that it names.

    Read are safetensors, NumPy ``.npz`` archives, MXNet ``.params`` files, and files of ``torch.save``: a state dict, a pickled
    module, or either in a dict or tuple beside whatever else, under any name. The form is told from the content. Which of
    several dicts is taken, which prefix is taken off and what is left out is told in `zoo.weights.state_dicts.choose`. MXNet's
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
