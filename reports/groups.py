"""The groups that a table has its methods in, as the paper's Table 1 has."""

from reports.published import sources
from zoo import METHODS, list_configs
from zoo.lookup import registered
from zoo.registry import read_method

GROUPS = {"classical": "Classical", "deep": "Deep", "ours": "Ours", "others": "Others"}


def group_of(method, row, ours):
    """The key in `GROUPS` of a method.

    Arguments:
        method: Its name.
        row (Row): Or None where it was not run.
        ours: The methods of the table's own group.

    Returns:
        str: The family of its card where there is one, or that which the published tables say; else ``"others"``.
    """
    if method in ours:
        return "ours"
    family = row.family if row is not None else None
    if family is None:
        known = {name: family for source in sources().values() for name, family in source["families"].items()}
        family = _card_family(method) or known.get(method)
    return family or "others"


def _card_family(method):
    name = read_method(method).options["type"] if method in list_configs() else method
    cls = registered(METHODS, name)
    card = getattr(cls, "card", None)
    return card and card.family
