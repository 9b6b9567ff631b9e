"""RPCANet++ with nine stages."""

_base_ = "rpcanet.py"  # the recipe

method = dict(type="rpcanet_pp", stages=9)

card = dict(notes=("Nine stages of 4,442,373 parameters, of which 46,240 are never used.",))
