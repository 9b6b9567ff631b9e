"""The baselines of Table 1. Importing this package registers them."""

from irsam_zoo import refuse_bare
from irsam_zoo.baselines import classical, deep

__all__ = ["classical", "deep"]

refuse_bare(__name__)
