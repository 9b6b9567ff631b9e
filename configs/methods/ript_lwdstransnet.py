"""RIPT as in the settings table of the LW-DSTransNet repository: windows of 50 px, step 10, lambda = 2 / sqrt(min), k = 5."""

method = dict(type="ript", patch_size=50, step=10, weight=2.0, threshold="mean_std(5)")
