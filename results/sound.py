"""What a row must hold before anything is made of it: known names, and finite figures in the shapes that a run writes.

A checksum is no signature: whoever knows the program can write a row that fits.
"""

import re

from irsam_zoo.results.record import SWEEP_COLUMNS
from irsam_zoo.zoo.card import FAMILIES

MOST = 1e100  # of any figure, so that what is made of it stays finite; a gain over a nearly flat background is large
LEVELS = 256
LONGEST_SPELLING = 200  # of a threshold policy, which is parsed
MOST_BINS = 50
MOST_NAMED = 10_000  # methods or data sets of a run


def check(item, checks):
    """Raise ValueError where an attribute of a row or of its speed is not what its check takes; the text names it."""
    for key, fits in checks.items():
        value = getattr(item, key)
        if not fits(value):
            raise ValueError(f"key {key!r} holds {value!r:.60}, which no run writes there")


def one_of(*known):
    return lambda value: value in known


def maybe(fits):
    return lambda value: value is None or fits(value)


def objects_of(fits):
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def lists_of(fits, most=MOST_BINS):
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(fits, value))


def text(value):
    return isinstance(value, str)


def figure(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MOST <= value <= MOST


def amount(value):
    return figure(value) and value >= 0


def count(value):
    return amount(value) and isinstance(value, int)


def above_zero(value):
    return figure(value) and value > 0


def share(value):
    return amount(value) and value <= 1


def interval(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(map(maybe(figure), value))
        and ((None in value) == (value[0] is value[1] is None))
    )


def _signal(value):
    return {"SCRG", "BSF"} <= value.keys() and all(map(maybe(figure), value.values()))


def _stratum(value):
    shares = (value.get(name) for name in ("Pd", "IoU")) if isinstance(value, dict) else ()
    return isinstance(value, dict) and text(value.get("bin")) and "Pd" in value and all(map(maybe(share), shares))


def _strata(value):
    return {"size", "scr"} <= value.keys() and all(map(lists_of(_stratum), value.values()))


def _sweep(value):
    lists = lists_of(count, LEVELS)
    return value.keys() == set(SWEEP_COLUMNS) and all(lists(column) and len(column) == LEVELS for column in value.values())


def _key(value):
    parts = {name: value.get(name, {}) for name in ("method", "files")}
    return (
        all(map(objects_of(lambda inner: True), parts.values()))
        and text(parts["method"].get("checkpoint", ""))
        and (maybe(text)(value.get("data")))
    )


def _weights(value):
    numbers = (value.seed, value.iterations)
    return value.file not in ("", ".", "..") and not re.search(r"[/\\\0]", value.file) and all(map(maybe(figure), numbers))


ROW = {
    "family": one_of(None, *FAMILIES),
    "threshold": maybe(lambda value: len(value) <= LONGEST_SPELLING),
    "n_images": count,
    "n_split": maybe(count),
    "params": maybe(count),
    "trained_on_test": count,
    "score_kind": one_of(None, "raw", "logit", "probability"),
    "metric_size": lambda value: value == "native" or re.fullmatch(r"\d{1,6}x\d{1,6}", value),
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
SPEED = dict.fromkeys(("fps", "seconds_an_image"), above_zero) | dict.fromkeys(
    ("flops", "memory", "lower_quartile", "upper_quartile", "network_seconds", "threads", "height", "width", "runs", "warm_up"),
    maybe(amount),
)


def is_manifest(run):
    """Whether an entry of a ``manifest.json`` has the shape of a run's, as far as reports look at it."""
    config = run.get("config", {})
    names = [run.get(name, {}) for name in ("faults", "rows", "data", "plugins", "packages")]
    if not isinstance(config, dict) or not all(isinstance(part, dict) for part in names):
        return False
    named = [config.get(name) or [] for name in ("methods", "datasets", "plugins")]
    texts = [config.get(name) for name in ("data_root", "split", "out", "dataset", "folder")]
    return all(map(lists_of(text, MOST_NAMED), named)) and all(map(maybe(text), texts))
