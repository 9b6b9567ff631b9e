"""Lengths of time as a user writes them."""

import re

from irsam_zoo.zoo.errors import UsageError


def parse_duration(text: str) -> float:
    """Seconds of ``"2h"``, ``"90m"``, ``"1h30m"`` or ``"45s"``; a bare number counts seconds.

    Raises:
        UsageError: It is none of these, or zero.
    """
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", str(text).strip().lower())
    seconds = sum(float(number or 0) * unit for number, unit in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    if not seconds:
        raise UsageError(f"{text!r} is no length of time; write it as 2h, 90m, 1h30m or 45s")
    return seconds
