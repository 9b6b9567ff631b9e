"""Comparisons of histories."""

import numpy as np

from irsam_zoo.metrics.history import component_history
from tests.oracles import history as oracle


def assert_same_history(levels):
    """To the bit, but for the order in which a level's components come."""
    rows = []
    for history in (component_history(levels), oracle.component_history(levels)):
        table = np.column_stack([history.birth, history.death, history.area, history.centroid])
        assert (np.diff(history.birth) <= 0).all()
        rows.append(table[np.lexsort(table.T)])
    np.testing.assert_array_equal(*rows)
