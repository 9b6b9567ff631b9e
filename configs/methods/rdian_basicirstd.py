"""RDIAN of BasicIRSTD; the network is the authors'."""

_base_ = "_base_/basicirstd.py"  # how it reads images, and the recipe

method = dict(type="rdian")

recipe = dict(loss="soft_iou")  # of a whole batch

card = dict(notes=("The network of 216,758 parameters is the authors'; normalisation, padding and training are BasicIRSTD's.",))
