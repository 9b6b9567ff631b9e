"""MSLSTIPT with the window of 30 px that comparison papers quote; the authors' demo has 100 px and calls it adjustable."""

method = dict(type="mslstipt", patch_size=30)
