"""What a row must hold before anything is made of it: known names, and finite figures in the shapes that a run writes.

A checksum is no signature: whoever knows the program can write a row that fits.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from irsam_zoo.results.record import SWEEP_COLUMNS
from irsam_zoo.results.serialization import is_list, is_object
from irsam_zoo.zoo.card import FAMILIES

Check = Callable[[Any], bool]

MOST = 1e100  # of any figure, so that what is made of it stays finite; a gain over a nearly flat background is large
LEVELS = 256
LONGEST_SPELLING = 200  # of a threshold policy, which is parsed
MOST_BINS = 50
MOST_NAMED = 10_000  # methods or data sets of a run


def check(item: object, checks: Mapping[str, Check]) -> None:
    """Raise ValueError where an attribute of a row or of its speed is not what its check takes; the text names it."""
    for key, fits in checks.items():
        value = getattr(item, key)
        if not fits(value):
            raise ValueError(f"key {key!r} holds {value!r:.60}, which no run writes there")


def one_of(*known: object) -> Check:
    return lambda value: value in known


def maybe(fits: Check) -> Check:
    return lambda value: value is None or fits(value)


def objects_of(fits: Check) -> Check:
    return lambda value: is_object(value) and all(map(fits, value.values()))


def lists_of(fits: Check, most: int = MOST_BINS) -> Check:
    return lambda value: is_list(value) and len(value) <= most and all(map(fits, value))


def text(value: Any) -> bool:
    return isinstance(value, str)


def figure(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MOST <= value <= MOST


def amount(value: Any) -> bool:
    return figure(value) and value >= 0


def count(value: Any) -> bool:
    return amount(value) and isinstance(value, int)


def above_zero(value: Any) -> bool:
    return figure(value) and value > 0


def share(value: Any) -> bool:
    return amount(value) and value <= 1


def interval(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    ends = list(cast(Iterable[Any], value))
    return len(ends) == 2 and all(map(maybe(figure), ends)) and ends.count(None) != 1


def _signal(value: Any) -> bool:
    return {"SCRG", "BSF"} <= value.keys() and all(map(maybe(figure), value.values()))


def _stratum(value: Any) -> bool:
    shares = (value.get(name) for name in ("Pd", "IoU")) if is_object(value) else ()
    return is_object(value) and text(value.get("bin")) and "Pd" in value and all(map(maybe(share), shares))


def _strata(value: Any) -> bool:
    return {"size", "scr"} <= value.keys() and all(map(lists_of(_stratum), value.values()))


def _sweep(value: Any) -> bool:
    lists = lists_of(count, LEVELS)
    return value.keys() == set(SWEEP_COLUMNS) and all(lists(column) and len(column) == LEVELS for column in value.values())


def _key(value: Any) -> bool:
    parts = {name: value.get(name, {}) for name in ("method", "files")}
    return (
        all(map(objects_of(lambda inner: True), parts.values()))
        and text(parts["method"].get("checkpoint", ""))
        and (maybe(text)(value.get("data")))
    )


def _weights(value: Any) -> bool:
    numbers = (value.seed, value.iterations)
    return value.file not in ("", ".", "..") and not re.search(r"[/\\\0]", value.file) and all(map(maybe(figure), numbers))


ROW: dict[str, Check] = {
    "family": one_of(None, *FAMILIES),
    "threshold": maybe(lambda value: len(value) <= LONGEST_SPELLING),
    "n_images": count,
    "n_split": maybe(count),
    "params": maybe(count),
    "trained_on_test": count,
    "score_kind": one_of(None, "raw", "logit", "probability"),
    "metric_size": lambda value: value == "native" or bool(re.fullmatch(r"\d{1,6}x\d{1,6}", value)),
    "metrics": objects_of(objects_of(maybe(figure))),
    "ci95": objects_of(objects_of(interval)),
    "auc": maybe(share),
    "signal": maybe(_signal),
    "strata": maybe(_strata),
    "sweep": maybe(_sweep),
    "left_out": objects_of(text),
    "notes": objects_of(count),
    "data_notes": lambda value: all(map(text, value)),
    "key": maybe(_key),
    "weights": maybe(_weights),
}
SPEED: dict[str, Check] = {"fps": above_zero, "seconds_an_image": above_zero} | dict.fromkeys(
    ("flops", "memory", "lower_quartile", "upper_quartile", "network_seconds", "threads", "height", "width", "runs", "warm_up"),
    maybe(amount),
)


def is_manifest(run: Mapping[str, Any]) -> bool:
    """Whether an entry of a ``manifest.json`` has the shape of a run's, as far as reports look at it."""
    config = run.get("config", {})
    names = [run.get(name, {}) for name in ("faults", "rows", "data", "plugins", "packages")]
    if not is_object(config) or not all(map(is_object, names)):
        return False
    named: list[Any] = [config.get(name) or [] for name in ("methods", "datasets", "plugins")]
    texts = [config.get(name) for name in ("data_root", "split", "out", "dataset", "folder")]
    return all(map(lists_of(text, MOST_NAMED), named)) and all(map(maybe(text), texts))
