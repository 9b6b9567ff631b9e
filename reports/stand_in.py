"""Which of a network's rows its line in a table shows: those of weights trained on the set alone, or on several together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irsam_zoo.results.row import Row

ALONE, JOINT, OTHER = "alone", "joint", "other"
KINDS = (ALONE, JOINT, OTHER)


def training_of(row: "Row") -> str | None:
    """What a row's weights were trained on, as their header tells it, seen from the row's test list.

    Returns:
        str | None: `ALONE` for the training list of this very set and split and nothing else, `JOINT` for a union that holds
        it, `OTHER` for anything else, for weights that do not say, and for those that have seen test images; None without
        weights.
    """
    weights = row.weights
    if weights is None:
        return None
    if row.trained_on_test or not weights.training_images_known or weights.split != row.split:
        return OTHER
    if row.dataset in weights.datasets:
        return JOINT
    return ALONE if weights.dataset == row.dataset and not weights.in_stages else OTHER


def chosen_rows(
    rows: "Iterable[Row]", beside: "Sequence[Row]", kinds: Sequence[str], listed: Sequence[str]
) -> "dict[str, Row]":
    """The row of each method on one test list.

    The choice is by what the rows' weights say of their training, whole lists first, and never by a figure.

    Arguments:
        rows: Of the result folder itself.
        beside: Of further folders. They take the place of another row, or that of a method of the table that has none, and make
            no line of their own.
        kinds: Of `KINDS`, the ones to show, that which goes before others first. Rows without weights are always shown.
        listed: Names of the table's methods.

    Returns:
        dict[str, Row]: By the name of the line. A row that takes the place of another has its title, and where it was not
        timed its speed.
    """
    own = {row.method: row for row in rows}
    places = [_line(row, own, listed) for row in beside]
    chosen = {}
    for name in {*own, *listed}:
        found = [own[name]] if name in own else []
        found += [row for row, place in zip(beside, places, strict=True) if place == name]
        found = [row for row in found if row.weights is None or training_of(row) in kinds]
        if found:
            best = min(found, key=lambda row: _place(row, kinds))  # of equals, that of the folder itself
            if name in own and best is not own[name]:
                best = replace(best, title=own[name].title, speed=best.speed or own[name].speed)
            chosen[name] = best
    return chosen


def _line(row: "Row", own: "Mapping[str, Row]", listed: Sequence[str]) -> str | None:
    """The name of the line that a row of another folder is of: its own, else that of the same network; None without one."""
    if row.method in own or row.method in listed:
        return row.method
    return next((name for name in [*listed, *sorted(own)] if name in own and _same_network(row, own[name])), None)


def _place(row: "Row", kinds: Sequence[str]) -> tuple[bool, bool, int]:
    return not row.ok, not row.whole, kinds.index(training_of(row)) if row.weights else 0


def _same_network(row: "Row", other: "Row") -> bool:
    """Whether two rows are of one method with equal options, and differ in the weights alone."""
    if not (row.weights and row.key and other.weights and other.key) or row.weights.publisher:
        return False
    first, second = ({**key["method"], "checkpoint": None} for key in (row.key, other.key))
    return first == second
