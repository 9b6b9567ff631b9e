"""The recipe of a method that brings none: a network of a plug-in, or any of mmsegmentation."""

recipe = dict(
    epochs=400,
    batch_size=8,
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-2),
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="Resize", size="input_size"),
        dict(type="LargeScaleJitter", scale=(0.5, 2.0), size=256, pad_value=0),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
