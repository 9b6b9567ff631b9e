"""A row against the others of the same images, by the paired bootstrap."""

from collections.abc import Iterable
from typing import NamedTuple

from irsam_zoo.metrics import paired_bootstrap
from irsam_zoo.metrics.typing import PairedDifference
from irsam_zoo.results.record import ImageRecord
from irsam_zoo.results.recut import recut_records
from irsam_zoo.results.row import Row
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import ZooError, build_threshold

METRICS = ("IoU", "nIoU", "Pd", "Fa")


class Difference(NamedTuple):
    """How a row differs from another.

    Attributes:
        other: The other `Row`.
        metrics: By metric, what `metrics.paired_bootstrap` says of the row minus the other.
    """

    other: Row
    metrics: dict[str, PairedDifference]


def paired_differences(
    row: Row, records: Iterable[ImageRecord], store: ResultStore, protocol: str = "exact"
) -> list[Difference]:
    """Compare a row with every stored row of the same images.

    Arguments:
        row: A `Row`.
        records: Its records.
        store (ResultStore): Holds the others. Rows whose journal is gone, and those without the protocol, are passed over.
        protocol: Whose definition of the metrics.

    Returns:
        list[Difference]: In the order of the store.
    """
    counts = [record.counts for record in records]
    found: list[Difference] = []
    for other in store.rows(tell=lambda line: None):
        same = (other.dataset, other.split, other.fingerprint) == (row.dataset, row.split, row.fingerprint)
        if not same or other.method == row.method or protocol not in other.metrics:
            continue
        try:
            theirs = store.records(other)
        except ZooError:
            continue
        if other.oracle and other.threshold:  # its journal was written before the cut was known
            theirs = recut_records(theirs, build_threshold(other.threshold), other.score_kind)
        counts_of_other = [record.counts for record in theirs]
        found.append(Difference(other, {m: paired_bootstrap(counts, counts_of_other, protocol, m) for m in METRICS}))
    return found
