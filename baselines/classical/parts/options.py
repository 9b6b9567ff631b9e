"""Checks of the options of the classical methods."""

from numbers import Integral

from irsam_zoo.zoo import UsageError


def check_whole(**options):
    """Refuse options, given by name, that are no whole number from 1 up, with a `UsageError`."""
    for name, value in options.items():
        if not isinstance(value, Integral) or value < 1:
            raise UsageError(f"{name} must be a whole number from 1 up, not {value!r}")
