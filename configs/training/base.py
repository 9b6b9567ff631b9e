"""The recipe of a method that brings none: a network of a plug-in, or any of mmsegmentation.

``"input_size"`` is the side to which the method resizes test images; for one that takes them as they are, the step falls away.
"""

recipe = dict(
    epochs=400,
    batch_size=8,
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2),
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base="input_size", scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=256, on_target=0.5),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
