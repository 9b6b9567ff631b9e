"""Whether the lead of one method over another is real, from the counts of the images that both were scored on."""

from typing import Any, TypedDict, cast

from irsam_zoo.metrics import paired_bootstrap
from irsam_zoo.metrics.bootstrap import RESAMPLES, luck
from irsam_zoo.metrics.typing import PairedDifference
from irsam_zoo.zoo.errors import ZooError

LEVEL = 0.95


class Tested(TypedDict):
    """A difference of `metrics.paired_bootstrap` that is defined."""

    difference: float
    low: float
    high: float
    p: float


def paired(
    counts_a: list[dict[str, Any]] | None, counts_b: list[dict[str, Any]] | None, protocol: str, metric: str
) -> Tested | None:
    """`metrics.paired_bootstrap` of two rows at 95 %, or None where it cannot be had.

    Arguments:
        counts_a, counts_b: Dicts with ``id`` and the counts of an image, or None.
        protocol: Name of the protocol.
        metric: Name of the metric.

    Returns:
        Tested | None: a - b. None without counts, where the images are others,
        where the figure is not made of counts (AUC), and where it is undefined.
    """
    if not counts_a or not counts_b or [line["id"] for line in counts_a] != [line["id"] for line in counts_b]:
        return None
    try:
        return defined(paired_bootstrap(counts_a, counts_b, protocol, metric, level=LEVEL))
    except ZooError:
        return None


def defined(found: PairedDifference) -> Tested | None:
    """A difference as one that is defined, or None."""
    return None if found["difference"] is None else cast(Tested, found)


def is_real(found: Tested) -> bool:
    """Whether the interval of a difference of `paired` leaves out 0, and not by the luck of its resamples."""
    sure = abs(found["p"] / 2 - (1 - LEVEL) / 2) > luck(RESAMPLES[-1], LEVEL)
    return sure and not found["low"] <= 0 <= found["high"]
