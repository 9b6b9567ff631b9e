"""IRSAM as IPIC-Lab/IRSAM released it: no wavelet block, deep features alone in the edge branch, and the recipe to the letter.

The recipe is that of train_IRSAM.py at commit 5adeb85, oddities included; irsam.py lists them.
"""

_base_ = "irsam.py"

method = dict(granularity="deep", wpmd=False)

recipe = dict(
    seed=None,
    epochs=1001,
    schedule=dict(T_max=50),
    # Canny at the original size; the edge map then goes through the same bilinear steps as the image.
    edge_target="before_augmentation",
    select="best_of_test_set_per_metric",
)
