"""The groups that a table has its methods in, as the paper's Table 1 has."""

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

from irsam_zoo.reports.published import sources
from irsam_zoo.zoo.index import card_of
from irsam_zoo.zoo.specs import spec_named

if TYPE_CHECKING:
    from irsam_zoo.results.row import Row
    from irsam_zoo.zoo.card import MethodCard

GROUPS = {"classical": "Classical", "deep": "Deep", "ours": "Ours", "after": "After Table 1", "others": "Others"}


def group_of(method: str, row: "Row | None", ours: Collection[str], after: Collection[str] = ()) -> str:
    """The key in `GROUPS` of a method.

    Arguments:
        method: Its name.
        row (Row): Or None where it was not run.
        ours: The methods of the table's own group.
        after: Those of the group after Table 1, of which variants are too.

    Returns:
        str: The family of its card where there is one, or that which the published tables say; else ``"others"``.
    """
    if method in ours:
        return "ours"
    if method in after or _type(method) in after:
        return "after"
    family = row.family if row is not None else None
    if family is None:
        known = {name: family for source in sources().values() for name, family in source["families"].items()}
        card = method_card(method)
        family = (card and card.family) or known.get(method)
    return family or "others"


def method_card(method: str) -> "MethodCard | None":
    """The card of the class of a method, a configuration or published weights; None where it is not known here."""
    return card_of(_type(method))


@cache
def _type(method: str) -> str:
    """The class that a method is a variant of, or that published weights are of, else its own name."""
    spec = spec_named(method)
    return spec.options["type"] if spec else method
