"""What a report is made from: rows, and the counts of single images behind each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irsam_zoo.results.recut import recut_records, recut_rows
from irsam_zoo.results.row import Row
from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.terminal import warn
from irsam_zoo.zoo.thresholds import Threshold

CountsOf = Callable[[Row], list[dict[str, Any]] | None]  # counts of each image of a row; None where they are not stored


@dataclass(frozen=True)
class StoredRows:
    """The rows of a result folder, as they are or as another threshold policy would have them.

    Attributes:
        store: The folder.
        rows: Its rows, in the order of their paths.
        policy: Where they were cut anew, or None.
    """

    store: ResultStore
    rows: list[Row]
    policy: Threshold | None = None

    @classmethod
    def read(cls, out: str | Path, policy: Threshold | None = None) -> "StoredRows":
        """Open a result folder; rows that cannot be read, or were edited, are left out and told on standard error.

        Raises:
            UsageError: It holds no results.
        """
        store = ResultStore(out)
        rows = store.rows(tell=warn)
        if not rows:
            raise UsageError(f"no results in {out}; run the benchmark with --out {out} first")
        return cls(store, recut_rows(rows, store, policy) if policy else rows, policy)

    @property
    def uncut(self) -> list[Row]:
        """The rows that the policy could not be applied to."""
        stored = self.store.rows(tell=lambda line: None) if self.policy else self.rows
        return [row for row, old in zip(self.rows, stored, strict=True) if row.status is not old.status]

    def counts(self, row: Row) -> list[dict[str, Any]] | None:
        """The counts of each image of one of the rows, with its ``id``; None where they are not stored any more."""
        try:
            return next(self.recounted(row, [self.policy])) if self.policy else self.store.counts(row)
        except ZooError:
            return None

    def recounted(self, row: Row, policies: Iterable[Threshold]) -> Iterator[list[dict[str, Any]]]:
        """For each policy, the counts of each image as it cuts it, from the stored sweeps; see `results.recut.recut_records`.

        Raises:
            ZooError: The journal was deleted or belongs to a later run. Raised before the first is counted. What a policy
                raises comes when its counts are asked for; those after it can still be had.
        """
        records = self.store.records(row)

        def counts(policy: Threshold) -> list[dict[str, Any]]:
            return [{"id": record.id, **record.counts} for record in recut_records(records, policy, row.score_kind)]

        return map(counts, policies)
