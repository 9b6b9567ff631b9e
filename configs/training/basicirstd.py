"""The recipe of the forms that BasicIRSTD trains, for which it is a `_base_`.

It tests at the image's own size, and so no scale is drawn. In its code a square is drawn around a target with even chance.
"""

recipe = dict(
    epochs=400,
    batch_size=16,
    optimizer=dict(type="Adam", lr=5e-4),
    schedule=dict(type="MultiStepLR", milestones=[200, 300], gamma=0.1, by_epoch=True),
    augmentation=[
        dict(type="RandomCrop", size=256, on_target=0.5),
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomTranspose", prob=0.5),
    ],
)
