"""The form in which this project writes weights: safetensors, with what is known of their making as JSON in the header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from irsam_zoo.zoo.durable import written_whole
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.header import INTEGERS, INTEGERS_KEY, METADATA_KEY, own_metadata

SCALE = ":scale"  # after a weight's name, the name of its scales
LARGEST = 127
LEFT = 0.1  # of a network's values, the part in its smallest layers, whose errors matter most: they do not become integers


def save_checkpoint(
    path: str | Path, state_dict: Mapping[str, torch.Tensor], metadata: dict[str, Any], *, int8: Mapping[str, int] | None = None
) -> str:
    """Write a safetensors file atomically; equal tensors and metadata give equal bytes.

    With `int8` the named weights become 8-bit integers and one float32 scale an output channel, its largest weight over
    127, and the header says ``"weights_as": "int8, one scale an output channel"``. All other tensors keep their values, in
    float16 where that holds them exactly.
    `load_checkpoint` gives float32. No weight is off by more than 1/254 of the largest of its output channel.

    Arguments:
        path: The file; its folder is created.
        state_dict: Tensors by name, on any device.
        metadata: Plain data that JSON can hold; `load_checkpoint` returns it.
        int8 (dict[str, int] | None): The axis of the output channels by the name of the weight, from `output_channels`.

    Returns:
        str: SHA-256 of the file.

    Raises:
        UsageError: The path is a folder.
        ZooError: A weight that is to become integers is not finite.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, such as {path / '<method>_<data set>.safetensors'}")
    # clone(): safetensors refuses tensors that share memory, and writes row-major ones only.
    tensors = {key: value.detach().cpu().clone().contiguous() for key, value in state_dict.items()}
    if int8:
        tensors, metadata = _to_integers(tensors, int8), metadata | {INTEGERS_KEY: INTEGERS}
    with written_whole(path) as (partial,):
        save_file(tensors, partial, {METADATA_KEY: json.dumps(metadata, sort_keys=True)})
    return sha256_file(path)


def output_channels(network: nn.Module) -> dict[str, int]:
    """The weights of a network's convolutions and linear layers, as `save_checkpoint` takes for `int8`.

    The smallest, which together hold at most a tenth of the values, are left out: in a trained UIU-Net they make two thirds
    of the error of the logits.

    Returns:
        dict[str, int]: The axis of the output channels by the name of the weight.
    """
    axes, sizes = {}, {}
    for name, module in network.named_modules(remove_duplicate=False):
        if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)):
            key = f"{name}.weight".lstrip(".")
            axes[key] = 1 if getattr(module, "transposed", False) else 0
            sizes[key] = module.weight.numel()
    left = LEFT * sum(sizes.values())
    for key in sorted(sizes, key=sizes.__getitem__):
        left -= sizes[key]
        if left < 0:
            break
        del axes[key]
    return axes


def halved(values: torch.Tensor) -> torch.Tensor:
    """Floats as float16; those of a tensor with one too large for it, and integers, as they are."""
    half = values.half() if values.is_floating_point() else values
    return half if torch.isfinite(half).all() else values


def read_safetensors(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], bool]:
    """``(state dict, metadata, whether it is of this project)`` of a safetensors file.

    Raises:
        ZooError: Its weights are integers of a kind that is not known here.
        Exception: Of any other type where it is damaged.
    """
    with safe_open(path, "pt") as file:
        header = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    metadata, kind = own_metadata(header)
    if kind not in (None, INTEGERS):
        raise ZooError(f"{path} holds weights as {kind}, which this version cannot read; update the project")
    return tensors if kind is None else _from_integers(tensors), metadata, METADATA_KEY in header


def _to_integers(tensors: dict[str, torch.Tensor], axes: Mapping[str, int]) -> dict[str, torch.Tensor]:
    stored = {key: value.half() if _is_half(value) else value for key, value in tensors.items()}
    for key in axes.keys() & tensors.keys():
        weight = tensors[key].float()
        if not torch.isfinite(weight).all():
            raise ZooError(f"{key} holds NaN or infinite values, which integers cannot; take weights of another run")
        scale = weight.abs().amax([axis for axis in range(weight.ndim) if axis != axes[key]], keepdim=True) / LARGEST
        scale[scale == 0] = 1
        stored[key], stored[f"{key}{SCALE}"] = (weight / scale).round().to(torch.int8), scale
    return stored


def _is_half(values: torch.Tensor) -> bool:
    """Whether float16 holds float32 values exactly."""
    return values.dtype == torch.float32 and torch.equal(values.half().float(), values)


def _from_integers(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tensors = {
        key: value.float() if value.dtype == torch.float16 else value
        for key, value in stored.items()
        if not key.endswith(SCALE)
    }
    for key in stored.keys() - tensors.keys():
        name, scale = key.removesuffix(SCALE), stored[key]
        if torch.broadcast_shapes(tensors[name].shape, scale.shape) != tensors[name].shape:
            raise ValueError(f"the scales of {name} are of another shape")
        if (tensors[name].dtype, scale.dtype) != (torch.int8, torch.float32):
            raise ValueError(f"{name} is no 8-bit integer with float32 scales")
        tensors[name] = tensors[name] * scale
    return tensors
