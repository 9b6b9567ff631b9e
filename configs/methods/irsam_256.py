"""IRSAM with an encoder input of 256x256: one sixteenth of the paper's pixels, and a mask decoded at 64x64."""

_base_ = "irsam.py"

method = dict(input_size=256, enlarge=1)

recipe = dict(
    augmentation=[
        dict(type="Resize", size=256),
        dict(type="RandomFlip", prob=0.5, direction="horizontal"),
        dict(type="LargeScaleJitter", scale=(0.8, 1.5), size=256, pad_value=128),
    ],
)
