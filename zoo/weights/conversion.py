"""From the checkpoints that authors publish to ours."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from irsam_zoo import PROGRAM
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.lookup import unknown
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.registry import method_class
from irsam_zoo.zoo.specs import build_method, list_configs, list_methods, method_config
from irsam_zoo.zoo.weights.checkpoint_files import read_checkpoint
from irsam_zoo.zoo.weights.own_files import output_channels, save_checkpoint
from irsam_zoo.zoo.weights.state_dicts import Chosen, MisfitError, convert_keys, load_weights

if TYPE_CHECKING:
    from irsam_zoo.zoo.neural import NeuralDetector


class Conversion(NamedTuple):
    """What `convert_file` did.

    Attributes:
        method: Name of the method or configuration.
        target, sha256: The file written, and its digest.
        tensors, renamed: Number of tensors, and of those that got a new name.
        notes: Sentences: what was taken where there was a choice, and what was left out.
    """

    method: str
    target: Path
    sha256: str
    tensors: int
    renamed: int
    notes: tuple[str, ...]


def convert_file(
    method: str,
    sources: str | Path | Sequence[str | Path],
    target: str | Path,
    *,
    key: str | None = None,
    int8: bool = False,
    provenance: dict[str, Any] | None = None,
    words: Sequence[str] = (),
) -> Conversion:
    """Convert a reference's checkpoint to one of ours, once it has been seen to fit the network.

    Arguments:
        method: A registered deep method, or a configuration of one.
        sources: The published file, or the several files that hold a part of the network each.
        target: The safetensors file to write.
        key: The name of the weights in the file, such as ``"ema"``, where there are several.
        int8: Write 8-bit integers; see `save_checkpoint`.
        provenance (dict | None): Entries for the header that tell what the weights were trained on.
        words: Options of the command line that the advice of an error has to repeat.

    Returns:
        Conversion

    Raises:
        UsageError: The method is unknown or has no network, there is nothing under `key`, or a source has a provenance.
        ZooError: A source cannot be read, or the tensors do not fit; nothing is written then. Where they fit another
            configuration of the method, the text names it.
    """
    sources = [Path(source) for source in ([sources] if isinstance(sources, (str, Path)) else sources)]
    detector = _detector(method)
    try:
        chosen, state_dict = _load(detector, sources, key)
    except MisfitError as error:
        fitting = [name for name in _siblings(method) if _fits(name, sources, key)]
        if not fitting:
            raise
        command = shlex.join(["convert", fitting[0], *map(str, sources), str(target), *words])
        raise ZooError(
            f"{_named(sources)} does not fit {detector.name}, but it fits {' and '.join(fitting)}; run: {PROGRAM} {command}"
        ) from error
    names, digests = [source.name for source in sources], [sha256_file(source) for source in sources]
    notes = [f"{name}: {note}" for name, part in zip(names, chosen, strict=True) for note in part.notes]
    metadata = {entry: value for part in chosen for entry, value in part.metadata.items()}
    if provenance and "train_ids" in metadata:
        raise UsageError(f"{_named(sources)} says itself what it was trained on; leave out what you know of it")
    metadata |= {"method": detector.name, "source": ", ".join(names), "source_sha256": ", ".join(digests)}
    metadata |= ({"notes": notes} if notes else {}) | (provenance or {})
    axes = output_channels(detector.network) if int8 else None
    digest = save_checkpoint(target, detector.network.state_dict(), metadata, int8=axes)
    renamed = sum(part.renamed for part in chosen)
    return Conversion(detector.name, Path(target), digest, len(state_dict), renamed, tuple(notes))


def convert_state_dict(name: str, state_dict: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Turn a reference's state dict into that of our network of the same method.

    Arguments:
        name: A registered deep method, or a configuration of one.
        state_dict: The reference's, without prefixes.

    Raises:
        UsageError: There is no such method, or it has no network.
    """
    rules = getattr(method_class(method_config(name)[1]["type"]), "convert_rules", None)
    if rules is None:
        raise UsageError(unknown("method with a network", name, network_methods()))
    return convert_keys(state_dict, rules)


def network_methods() -> list[str]:
    """Sorted names of the registered methods that have a network."""
    return [name for name in list_methods() if hasattr(method_class(name), "convert_rules")]


def _detector(method: str) -> "NeuralDetector":
    """A method with random weights; UsageError where it has no network."""
    from irsam_zoo.zoo.neural import NeuralDetector  # which needs this module

    detector = build_method(method, weights=None)
    if not isinstance(detector, NeuralDetector):
        raise UsageError(unknown("method with a network", method, network_methods()))
    return detector


def _load(detector: "NeuralDetector", sources: Sequence[Path], key: str | None) -> tuple[list[Chosen], dict[str, torch.Tensor]]:
    """Load a network from its files: what was taken of each, and the state dict of all."""
    own = detector.network.state_dict()
    chosen = [read_checkpoint(source, own, detector.convert_rules, key) for source in sources]
    state_dict = {}
    for source, part in zip(sources, chosen, strict=True):
        twice = state_dict.keys() & part.tensors.keys()
        if twice:
            raise ZooError(f"{source} holds {min(twice)}, which a file before it holds too; name the parts of one network")
        state_dict |= part.tensors
    load_weights(detector.network, state_dict, source=_named(sources))
    return chosen, state_dict


def _siblings(method: str) -> list[str]:
    """The other configurations of a method; the method itself is one where a configuration was given."""
    own, options = method_config(method)
    names = [options["type"], *list_configs()]
    return [name for name in names if name != own and method_config(name)[1]["type"] == options["type"]]


def _fits(name: str, sources: Sequence[Path], key: str | None) -> bool:
    try:
        _load(_detector(name), sources, key)
    except ZooError:
        return False
    return True


def _named(sources: Sequence[Path]) -> str:
    return " with ".join(map(str, sources))
