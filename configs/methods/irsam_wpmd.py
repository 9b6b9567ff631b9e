"""MobileSAM with the wavelet Perona-Malik block alone."""

_base_ = "irsam.py"

method = dict(granularity="none")
