"""Checkpoints: loading those that authors publish, converting them, and writing and finding our own."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import save_file

from zoo.checkpoint_files import METADATA_KEY, read_checkpoint, read_header
from zoo.errors import UsageError, ZooError
from zoo.lookup import registered, unknown
from zoo.registry import METHODS, build_method, list_methods, method_config
from zoo.schedules import SCHEDULES

MOST_NAMED = 5


class Conversion(NamedTuple):
    """What `convert_file` did: the file written, its digest, the number of tensors, and how many of them got a new name."""

    target: Path
    sha256: str
    tensors: int
    renamed: int


def load_checkpoint(path, own_keys=()):
    """Read the weights of a checkpoint file without running code from it.

    Read are safetensors, files of ``torch.save`` (a state dict, alone or under ``state_dict``, ``model_state_dict``,
    ``net``, ``model``, ``network`` or ``params``), NumPy ``.npz`` archives and MXNet ``.params`` files. The form is told
    from the content. A prefix such as ``module.`` or ``model.`` that all keys share is taken off, and MXNet's ``gamma`` and
    ``beta`` become ``weight`` and ``bias``; a safetensors file is taken as it is.

    Arguments:
        path: The file.
        own_keys: Keys of the network that the weights are for. Where the file has one of them no prefix is taken off.

    Returns:
        tuple[dict[str, torch.Tensor], dict]: The state dict on the CPU, and what the writer stored beside it.

    Raises:
        ZooError: The file is missing, empty, truncated, a web page, a Git-LFS pointer, a pickled module, or of another form.
    """
    return read_checkpoint(Path(path), own_keys)


def convert_keys(state_dict, rules):
    """Rename the keys of a state dict by ``(regex, replacement)`` pairs, applied in turn.

    Raises:
        ZooError: Two keys become one.
    """
    renamed = {}
    for key, value in state_dict.items():
        new = key
        for pattern, replacement in rules:
            new = re.sub(pattern, replacement, new)
        if new in renamed:
            raise ZooError(f"two tensors of the checkpoint become {new}; it belongs to another method")
        renamed[new] = value
    return renamed


def convert_state_dict(name, state_dict):
    """Turn a reference's state dict into that of our network of the same method.

    Arguments:
        name: A registered deep method, or a configuration of one.
        state_dict: The reference's, without prefixes.

    Raises:
        UsageError: There is no such method, or it has no network.
    """
    return convert_keys(state_dict, _neural_class(name).convert_rules)


def load_weights(network, state_dict, *, source):
    """Load a state dict that has to fit exactly.

    Only batch norm's ``num_batches_tracked`` may be missing: MXNet and old PyTorch have none, and inference needs none.

    Arguments:
        network (nn.Module): Receives the values.
        state_dict: Tensors by name.
        source: The file that they came from, for the error.

    Raises:
        ZooError: A key is missing or left over, or a shape differs. One line names up to five of each.
    """
    own = network.state_dict()
    complaints = [
        _complaint("missing", [k for k in own if k not in state_dict and not k.endswith("num_batches_tracked")]),
        _complaint("unexpected", [key for key in state_dict if key not in own]),
        _complaint(
            "of another shape",
            [
                f"{key} {tuple(value.shape)} for {tuple(own[key].shape)}"
                for key, value in state_dict.items()
                if key in own and value.shape != own[key].shape
            ],
        ),
    ]
    if any(complaints):
        raise ZooError(f"{source} does not fit {type(network).__name__}: {'; '.join(filter(None, complaints))}")
    network.load_state_dict(state_dict, strict=False)


def save_checkpoint(path, state_dict, metadata):
    """Write a safetensors file atomically; equal tensors and metadata give equal bytes.

    Arguments:
        path: The file; its folder is created.
        state_dict: Tensors by name, on any device.
        metadata: Plain data that JSON can hold; `load_checkpoint` returns it.

    Returns:
        str: SHA-256 of the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # clone(): safetensors refuses tensors that share memory, and writes row-major ones only.
    tensors = {key: value.detach().cpu().clone().contiguous() for key, value in state_dict.items()}
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, partial, {METADATA_KEY: json.dumps(metadata, sort_keys=True)})
        os.chmod(partial, 0o644)  # safetensors lets the owner alone read it
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return sha256_file(path)


def sha256_file(path):
    """Hex SHA-256 digest of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def find_checkpoint(directory, method, dataset, *, split=None, schedule=SCHEDULES[-1]):
    """The best checkpoint of a method for a data set in a folder, or None.

    A file ``<method>_<dataset>.safetensors``, put there by hand, comes first; then those of our trainer on this very data set,
    ``<method>_<dataset>_<schedule>-<8 hex digits>.safetensors``; then those on a joined set that holds it; and for a data set
    without a split of its own, such as `synthetic` or a user's folder, those on any joined set. Among equals, schedule paper
    comes before budget, short and smoke, and of one schedule the newest.

    Arguments:
        directory: The folder.
        method, dataset: Names.
        split: Leave out files of our trainer that were trained on another split of the data set; None takes all.
        schedule: The least schedule that will do.
    """
    directory = Path(directory)
    chosen = directory / f"{method}_{dataset}.safetensors"
    if chosen.is_file():
        return chosen
    enough = SCHEDULES[: SCHEDULES.index(schedule) + 1]
    name = re.compile(rf"{re.escape(method)}_(.+)_({'|'.join(enough)})-[0-9a-f]{{8}}\.safetensors")
    ranked = []
    for path in directory.glob("*.safetensors"):
        match = name.fullmatch(path.name)
        nearness = match and _nearness(match[1], read_header(path), dataset, split)
        if nearness:
            ranked.append((nearness, -SCHEDULES.index(match[2]), path.stat().st_mtime_ns, path.name, path))
    return max(ranked)[-1] if ranked else None


def _nearness(trained_on, header, dataset, split):
    """How near weights are to a data set: 3 trained on it, 2 on a union with it, 1 on one without it, 0 on others."""
    if trained_on != dataset and len(header.get("seen", ())) < 2:
        return 0
    held = trained_on == dataset or dataset in header["seen"]
    if held and split is not None and header.get("split") not in (split, None):
        return 0
    return 3 if trained_on == dataset else 2 if held else 1


def convert_file(method, source, target):
    """Convert a reference's checkpoint file to one of ours, once it has been seen to fit the network.

    Arguments:
        method: A registered deep method, or a configuration of one.
        source: The published file.
        target: The safetensors file to write.

    Returns:
        Conversion: What was written.

    Raises:
        ZooError: The source cannot be read or does not fit; nothing is written then.
    """
    cls = _neural_class(method)
    detector = build_method(method)
    state_dict, metadata = load_checkpoint(source, detector.network.state_dict())
    converted = convert_keys(state_dict, cls.convert_rules)
    load_weights(detector.network, converted, source=source)
    metadata = {**metadata, "method": method, "source": Path(source).name, "source_sha256": sha256_file(source)}
    digest = save_checkpoint(target, detector.network.state_dict(), metadata)
    return Conversion(Path(target), digest, len(converted), len(set(converted) - set(state_dict)))


def _neural_class(name):
    _, options = method_config(name)
    cls = registered(METHODS, options["type"])
    if not hasattr(cls, "convert_rules"):
        networks = [known for known in list_methods() if hasattr(registered(METHODS, known), "convert_rules")]
        raise UsageError(unknown("method with a network", name, networks))
    return cls


def _complaint(what, keys):
    if not keys:
        return ""
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"{what}: {', '.join(keys[:MOST_NAMED])}{more}"
