"""RPCANet++ with three stages."""

_base_ = "rpcanet.py"  # the recipe

method = dict(type="rpcanet_pp", stages=3)

card = dict(notes=("Three stages of 1,480,791 parameters, of which 46,240 are never used.",))
