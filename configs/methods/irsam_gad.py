"""MobileSAM with the granularity-aware decoder alone, both of its branches on."""

_base_ = "irsam.py"

method = dict(wpmd=False)
