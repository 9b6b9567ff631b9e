"""RPCANet++, with the training recipe of RPCANet, from the same repository."""

_base_ = "rpcanet.py"  # the recipe

method = dict(type="rpcanet_pp")
