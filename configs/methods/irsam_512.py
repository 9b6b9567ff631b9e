"""IRSAM with an encoder input of 512x512: a quarter of the paper's pixels, and a mask decoded at 128x128."""

_base_ = "irsam.py"

method = dict(input_size=512, enlarge=1)
