"""Dim2Clear. Neither code nor a recipe was published; this one is that of networks of its kind (see acmnet.py), with AdamW.

Images are tested at their own size, and so trained at it: the random scale holds for an ``input_size`` alone.
"""

method = dict(type="dim2clear")

recipe = dict(
    epochs=400,
    batch_size=8,
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-4),
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base="input_size", scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=256),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
