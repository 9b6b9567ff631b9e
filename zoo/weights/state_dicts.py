"""From the tensors in a file to the weights of a network: which of them, under which names, and whether they fit."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from irsam_zoo import PROGRAM
from irsam_zoo.zoo.errors import UsageError, ZooError

# Names that weights are stored under, best first; averaged ones, with which their publishers test, come before all.
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "net", "model", "network", "params", "weights")
AVERAGED = {"ema", "swa", "averaged"}
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.")
MOST_PREFIXES = 4  # one in the other
PROFILER = re.compile(r"(^|\.)total_(ops|params)$")  # buffers that thop leaves in every module
LOSS = re.compile(r"[^.]*(criterion|loss)[^.]*\.")
COUNTER = "num_batches_tracked"  # of batch norm; MXNet and old PyTorch have none, and inference needs none
MOST_NAMED = 5
Names = Collection[str]  # a network's keys, or its state dict
Rules = Sequence[tuple[str, str]]  # ``(regex, replacement)``


class MisfitError(ZooError):
    """Tensors are not those of the network."""


class FoundTensors(NamedTuple):
    """A dict of tensors in a file: the names that lead to it, its tensors, and all dicts on the way, itself included."""

    path: tuple[str, ...]
    tensors: dict[str, Any]
    around: tuple[dict[Any, Any], ...] = ()


class Chosen(NamedTuple):
    """The tensors that `choose` took, under the network's names.

    Attributes:
        tensors: By name.
        metadata: The text and numbers in the dicts around them.
        renamed: Number of tensors to which a rule gave another name.
        notes: For the user: what was taken where there was a choice, and what was left out.
    """

    tensors: dict[str, Any]
    metadata: dict[str, Any]
    renamed: int = 0
    notes: tuple[str, ...] = ()


class _Option(NamedTuple):
    found: FoundTensors
    prefix: str
    own: int = 0  # tensors with a name of the network's, and those with its shape too
    fitting: int = 0

    @property
    def names(self) -> list[str]:
        return [*self.found.path, *self.prefix.split(".")[:-1]]

    @property
    def label(self) -> str:
        return printable(".".join(self.names)) or "(no name)"

    @property
    def rank(self) -> int:
        words = {word for name in self.names for word in re.split(r"[^a-z]+", name.lower())}
        return -1 if words & AVERAGED else min(map(WRAPPERS.index, filter(WRAPPERS.__contains__, self.names)), default=99)

    @property
    def tensors(self) -> dict[str, Any]:
        return {k.removeprefix(self.prefix): v for k, v in self.found.tensors.items() if k.startswith(self.prefix)}


def choose(path: Path, found: Sequence[FoundTensors], own: Names = (), rules: Rules = (), key: str | None = None) -> Chosen:
    """Take a network's weights from the dicts of tensors in a file.

    Of all dicts, and of all prefixes such as ``module.`` in them, those are taken that give most of the network's names, and
    of these those with most of its shapes. Where several are alike, averaged weights (``ema``, ``params_ema``,
    ``swa_model``) come first and then `WRAPPERS`, in their order. Without a network's keys a prefix has to be one of
    `PREFIXES` and shared by all keys.

    Left out are tensors outside the prefix, a profiler's buffers, and a loss beside the network.

    Arguments:
        path: The file, for errors.
        found (list[FoundTensors]): The dicts.
        own: The network's state dict, or its keys.
        rules: ``(regex, replacement)`` pairs that turn the file's names into the network's.
        key: Consider only weights under this name, such as ``"ema"``.

    Returns:
        Chosen

    Raises:
        UsageError: There is nothing under `key`.
        ZooError: Several are alike and no name decides, or two tensors get one name.
    """
    options = [_judged(part, prefix, own, rules) for part in found for prefix in _prefixes(part.tensors, own)]
    options = [option for option in options if option.own]
    if not options:  # a network without these keys, or none
        holders = {part.path[:depth] for part in found for depth in range(len(part.path))}
        options = [_Option(part, _shared_prefix(part.tensors)) for part in found if part.path not in holders]
    if key is not None:
        labels = ", ".join(option.label for option in options)
        options = [option for option in options if f"{'.'.join(option.names)}.".startswith(f"{key}.")]
        if not options:
            raise UsageError(f"{path} has no weights under {key!r}; it has: {labels}")
    best = max((option.own, option.fitting) for option in options)
    first, *others = sorted((o for o in options if (o.own, o.fitting) == best), key=lambda option: option.rank)
    labels = ", ".join(option.label for option in others)
    if others and others[0].rank == first.rank:
        raise ZooError(
            f"{path} holds several sets of weights: {first.label}, {labels}; choose one with: "
            f"{PROGRAM} convert METHOD {path} TARGET --key {first.label}"
        )
    notes = [f"took the weights under {first.label} and not those under {labels} (--key takes others)"] if others else []
    return _chosen(first, own, rules, notes)


def convert_keys(state_dict: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """Rename the keys of a state dict by ``(regex, replacement)`` pairs, applied in turn.

    Raises:
        MisfitError: Two keys become one.
    """
    renamed = {}
    for key, value in state_dict.items():
        new = _renamed(key, rules)
        if new in renamed:
            raise MisfitError(f"two tensors of the checkpoint become {printable(new)}; it belongs to another method")
        renamed[new] = value
    return renamed


def load_weights(network: nn.Module, state_dict: Mapping[str, torch.Tensor], *, source: str | Path) -> None:
    """Load a state dict that has to fit exactly.

    Only batch norm's ``num_batches_tracked`` may be missing: MXNet and old PyTorch have none, and inference needs none.

    Arguments:
        network (nn.Module): Receives the values.
        state_dict: Tensors by name.
        source: The file that they came from, for the error.

    Raises:
        MisfitError: A key is missing or left over, a shape differs, or a kind of number does. One line names up to
            five of each. The network is then as it was.
        ZooError: A value is NaN or infinite where the network's own is not, likewise.
    """
    own = network.state_dict()
    common = {key: (value, own[key]) for key, value in state_dict.items() if key in own}
    shapes = [f"{k} {tuple(new.shape)} for {tuple(old.shape)}" for k, (new, old) in common.items() if new.shape != old.shape]
    kinds = [
        f"{key} {str(new.dtype).removeprefix('torch.')}"
        for key, (new, old) in common.items()
        if old.dtype != new.dtype and not (old.is_floating_point() and new.is_floating_point()) and not key.endswith(COUNTER)
    ]
    complaints = [
        _complaint("missing", [key for key in own if key not in state_dict and not key.endswith(COUNTER)]),
        _complaint("unexpected", [key for key in state_dict if key not in own]),
        _complaint("of another shape", shapes),
        _complaint("of another kind", kinds),
    ]
    if any(complaints):
        raise MisfitError(f"{source} does not fit {type(network).__name__}: {'; '.join(filter(None, complaints))}")
    broken = [key for key, (new, old) in common.items() if (~torch.isfinite(new.to(old)) & torch.isfinite(old)).any()]
    if broken:
        raise ZooError(f"{source} is of no use: {_complaint('NaN or infinite values in', broken)}; take weights of another run")
    network.load_state_dict(state_dict, strict=False)


def printable(text: str) -> str:
    """A name from a file in a form that fits into a line of text: no control characters, and no more than 200 others."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])


def _judged(found: FoundTensors, prefix: str, own: Names, rules: Rules) -> _Option:
    tensors = {_renamed(key, rules): value for key, value in _Option(found, prefix).tensors.items()}
    named = [key for key in tensors if key in own and not key.endswith(COUNTER)]
    shapes = own if isinstance(own, dict) else {}
    return _Option(found, prefix, len(named), sum(k in shapes and tensors[k].shape == shapes[k].shape for k in named))


def _chosen(option: _Option, own: Names, rules: Rules, notes: list[str]) -> Chosen:
    tensors = option.tensors
    converted = convert_keys(tensors, rules)
    left = [key for key in option.found.tensors if not key.startswith(option.prefix)]
    extra = [key for key in converted if key not in own and (PROFILER.search(key) or (own and LOSS.match(key)))]
    kept = {key: value for key, value in converted.items() if key not in extra}
    renamed = sum(new != old for new, old in zip(converted, tensors, strict=True))
    if left or extra:
        notes = [*notes, _complaint("left out", [*left, *extra])]
    items = (item for part in option.found.around for item in part.items())
    metadata = {key: value for key, value in items if isinstance(key, str) and isinstance(value, (str, int, float))}
    return Chosen(kept, metadata, renamed, tuple(notes))


def _prefixes(tensors: Collection[str], own: Names) -> list[str]:
    """The prefixes, and none, that so many keys have that a network's could be among them."""
    parts = (key.split(".")[:-1][:MOST_PREFIXES] for key in tensors)
    counts = Counter(".".join([*names[:depth], ""]) for names in parts for depth in range(1, len(names) + 1))
    return ["", *(prefix for prefix, count in counts.items() if 2 * count >= min(len(tensors), len(own)))]


def _shared_prefix(tensors: Iterable[str]) -> str:
    keys, prefix = [key for key in tensors if not PROFILER.search(key)], ""
    while found := next((p for p in PREFIXES if keys and all(key.startswith(prefix + p) for key in keys)), None):
        prefix += found
    return prefix


def _renamed(key: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key


def _complaint(what: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"{what}: {', '.join(map(printable, keys[:MOST_NAMED]))}{more}"
