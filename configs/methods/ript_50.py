"""RIPT as comparison papers often quote it: windows of 50 px, L = 1, h = 10. The authors' demo has 30 px, 0.7 and 1."""

method = dict(type="ript", patch_size=50, weight=1.0, edge_weight=10.0)
