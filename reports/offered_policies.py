"""The threshold policies that the page and the audit try on stored scores."""

from collections.abc import Iterable

from irsam_zoo.zoo import THRESHOLDS, Threshold, build_threshold
from irsam_zoo.zoo.errors import FAILURES


def offered_policies(kinds: Iterable[str | None]) -> list[Threshold]:
    """Every registered policy of scores of some kinds, with each of the numbers that `Threshold.tried` names, in the registry's
    order: a policy of a plug-in is among them. One that has no default numbers, and names none, is left out.

    Arguments:
        kinds: Of ``"raw"``, ``"logit"`` and ``"probability"``.
    """
    found = {}
    for name, cls in THRESHOLDS.module_dict.items():
        try:
            if set(cls.kinds) & set(kinds):
                policies = [build_threshold(f"{name}({', '.join(map(repr, numbers))})") for numbers in cls.tried]
                found |= {str(policy): policy for policy in policies}
        except FAILURES:  # of a plug-in's class
            continue
    return list(found.values())
