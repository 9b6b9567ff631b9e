"""Which way of cutting and counting the stored scores comes nearest to a published cell."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from irsam_zoo.metrics import compute_metrics
from irsam_zoo.reports.columns import metric_column
from irsam_zoo.reports.offered_policies import offered_policies
from irsam_zoo.zoo.errors import FAILURES, ZooError

if TYPE_CHECKING:
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.stored_rows import StoredRows

SQUARE = 512 * 512  # px; what IRSAM's and ISNet's codes divide the false pixels of an image by, whatever its size


class Way(NamedTuple):
    """One way to the figures of a method on a data set.

    Attributes:
        method, split: Of the row.
        policy: Where its scores are cut.
        protocol: How the masks are counted.
        images: How many of the test list, in words.
        figures: By metric, in the units of `reports.columns`.
    """

    method: str
    split: str
    policy: str | None
    protocol: str
    images: str
    figures: dict[str, float | None]


def ways(row: "Row", stored: "StoredRows") -> Iterator[Way]:
    """Every `Way` of a row: its own cut by all protocols, and every one of the `offered_policies` by the exact one.

    Those of a row whose journal is gone are its own cut's and, from the sums of the set, every fraction of the score's range.

    Arguments:
        row (Row): Scored.
        stored (StoredRows): Where its images' sweeps are.
    """
    images = f"{row.n_images}" if row.whole else f"first {row.n_images} of {row.n_split}"
    place = dict(method=row.method, split=row.split, images=images)
    for protocol, metrics in row.metrics.items():
        yield Way(policy=row.threshold, protocol=protocol, figures=_shown(metrics), **place)
    policies = offered_policies([row.score_kind])
    try:
        cuts = stored.recounted(row, policies)
    except ZooError:
        return
    for policy in policies:
        try:
            counts = next(cuts)
        except FAILURES:  # of a plug-in's policy
            continue
        metrics = compute_metrics(counts)
        if str(policy) != row.threshold:
            yield Way(policy=str(policy), protocol="exact", figures=_shown(metrics), **place)
        share = sum(count["pixels"] for count in counts) / (SQUARE * len(counts))
        if share != 1 and metrics["Fa"] is not None:
            figures = _shown(metrics | {"Fa": metrics["Fa"] * share})
            yield Way(policy=str(policy), protocol="exact, Fa over 512x512", figures=figures, **place)


def best_fraction(row: "Row", printed: Mapping[str, str]) -> Way | None:
    """The `Way` of the fraction of the score's range that comes nearest to a cell, from the sums over the set; no nIoU.

    None where the scores are logits, or no sweep is stored.
    """
    if row.score_kind != "raw" or not row.sweep:
        return None
    tp, fp, matched, false_pixels, targets = (row.sweep[name] for name in ("tp", "fp", "matched", "false_pixels", "targets"))
    found = []
    for level in range(1, len(tp)):
        metrics = {"IoU": tp[level] / (tp[0] + fp[level]), "Fa": false_pixels[level] / (tp[0] + fp[0])} if tp[0] else {}
        metrics |= {"Pd": matched[level] / targets[0]} if targets[0] else {}
        policy = f"minmax({level / (len(tp) - 1):.2f})"
        found.append(Way(row.method, row.split, policy, "exact", f"{row.n_images}", _shown(metrics)))
    return min(found, key=lambda way: distance(way.figures, printed))


def distance(figures: Mapping[str, float | None], printed: Mapping[str, str]) -> float:
    """The factor by which figures are off those of a published cell: 1 where all are equal, the geometric mean over them.

    Arguments:
        figures (dict): By metric, in the units of `reports.columns`.
        printed (dict): By metric, texts. Those that the figures do not have are left out. A figure counts as a hundredth of the
            printed one at least.
    """
    both = ((figures.get(name), float(text)) for name, text in printed.items())
    common = [(ours, theirs) for ours, theirs in both if ours is not None and theirs > 0]
    if not common:
        return math.inf
    return math.exp(sum(abs(math.log(max(ours, theirs / 100) / theirs)) for ours, theirs in common) / len(common))


def _shown(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: metric_column(name).shown(value) for name, value in metrics.items()}
