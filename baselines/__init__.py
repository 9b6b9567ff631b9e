"""The baselines of Table 1. Importing this package registers them."""

from baselines import classical, deep

__all__ = ["classical", "deep"]
