"""What BasicIRSTD calls ALCNet."""

_base_ = "_base_/basicirstd.py"  # how it reads images, and the recipe

method = dict(type="alcnet", toolbox=True)

card = dict(
    notes=(
        "Equal to what BasicIRSTD calls ALCNet: one channel, no local contrast at all, 519,889 parameters, two residual stages "
        "that it never runs among them.",
        "Many later papers compare with this network under the name ALCNet.",
    ),
)
