"""IRSAM as IPIC-Lab/IRSAM released it: no wavelet block, deep features alone in the edge branch, and the script's recipe.

The recipe is that of train_IRSAM.py at commit 5adeb85, whose oddities irsam.py lists. The trainer follows the 1001 epochs and
the swinging rate. It does not reproduce three entries, which it tells and stores with the weights: edges are found on the mask
that the network is trained on, the last epoch counts, and the seed is 0 unless ``--seed`` names another.
"""

_base_ = "irsam.py"

method = dict(granularity="deep", wpmd=False)

recipe = dict(
    seed=None,
    epochs=1001,
    schedule=dict(T_max=50, by_epoch=True),
    # Canny at the original size; the edge map then goes through the same bilinear steps as the image.
    edge_target="before_augmentation",
    select="best_of_test_set_per_metric",
)
