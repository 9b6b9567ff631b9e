"""ISTDU-Net of BasicIRSTD.

Its copy of the network returns the mask alone, so that the head of the centre heat map does not learn.
"""

_base_ = "_base_/basicirstd.py"  # how it reads images, and the recipe

method = dict(type="istdunet")

recipe = dict(loss="soft_iou")  # of a whole batch

card = dict(
    notes=(
        "The network of 2,761,138 parameters is the author's; normalisation, padding and training are BasicIRSTD's, which "
        "leaves the head of the centre heat map, 9,265 of them, as it was drawn.",
    ),
)
