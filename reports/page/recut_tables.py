"""The rows of a folder under several threshold policies, from their stored sweeps."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from irsam_zoo.reports.offered_policies import offered_policies
from irsam_zoo.results.recut import recut
from irsam_zoo.results.row import Status
from irsam_zoo.results.stored_rows import StoredRows
from irsam_zoo.zoo import UsageError, build_threshold
from irsam_zoo.zoo.errors import FAILURES, ZooError, one_line

if TYPE_CHECKING:
    from irsam_zoo.reports.row_files import RowFiles
    from irsam_zoo.results.row import Row
    from irsam_zoo.zoo.thresholds import Threshold

AS_RUN = "as run"
MOST = 1000  # rows that are cut by every policy: under each one, a row takes some thousand characters of a page


def page_cuts(stored: StoredRows, behind: "RowFiles", more: Iterable[str] = ()) -> dict[str, StoredRows]:
    """Rows as they were run, and as each policy would have them.

    The figures are computed here and not in the page: the sweeps of single images are many times the size of all figures of all
    policies, and so the page has the same numbers and intervals as ``report --threshold``.

    Arguments:
        stored (results.stored_rows.StoredRows): The rows, perhaps cut by a policy that was asked for.
        behind (reports.row_files.RowFiles): What is stored behind them.
        more: Further policies as they are spelled.

    Returns:
        dict: `StoredRows` by policy as it is spelled, `AS_RUN` first: by the `offered_policies`, those of the rows and that of
        ``stored``; of more than `MOST` rows, by that of ``stored`` alone. A row that cannot be cut has failed, with the reason.
    """
    rows = stored.store.rows(tell=lambda line: None) if stored.policy else stored.rows
    policies, spellings = {}, [stored.policy]
    if len(rows) <= MOST:
        offered = offered_policies({row.score_kind for row in rows})
        spellings = [*offered, *(row.threshold for row in rows), stored.policy, *more]
    for spelling in filter(None, spellings):
        try:
            policy = build_threshold(spelling)
        except UsageError:  # of a plug-in that is not loaded now
            continue
        policies[str(policy)] = policy
    cuts = {
        name: StoredRows(stored.store, [_cut(row, behind, policy, stored.policy) for row in rows], policy)
        for name, policy in policies.items()
    }
    return {AS_RUN: StoredRows(stored.store, rows)} | cuts


def _cut(row: "Row", behind: "RowFiles", policy: "Threshold", asked: "Threshold | None") -> "Row":
    if not row.sweep:  # it failed, or is of masks alone
        return row
    try:
        if row.score_kind not in policy.kinds and str(policy) != str(asked):
            raise ZooError(f"{policy} is a cut of {' or '.join(policy.kinds)} scores, and not of {row.score_kind} ones")
        return recut(row, behind.records(row), policy)
    except FAILURES as error:
        return replace(row, status=Status.FAILED, reason=one_line(error), metrics={}, ci95={})
