"""UIU-Net of BasicIRSTD."""

_base_ = "_base_/basicirstd.py"  # how it reads images, and the recipe

method = dict(type="uiunet", in_channels=1, stretch=False)

card = dict(
    notes=(
        "The network and the normalisation of BasicIRSTD: one channel, 50,540,309 parameters, no division by the image's "
        "maximum. The loss is the authors'.",
        "Both branches of a fusion end in one and the same convolution, as in the authors' code.",
    ),
)
