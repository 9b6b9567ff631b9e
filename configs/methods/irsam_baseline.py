"""MobileSAM trained by IRSAM's recipe: neither wavelet block nor edge branch. The first row of an ablation."""

_base_ = "irsam.py"

method = dict(granularity="none", wpmd=False)
