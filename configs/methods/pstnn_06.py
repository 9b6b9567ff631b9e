"""PSTNN with the sparsity weight 0.6 that comparison papers quote; the authors' Demo.m has 0.7."""

method = dict(type="pstnn", weight=0.6)
