"""The recipe of the forms that BasicIRSTD trains, for which it is a `_base_`.

From its logs: Adam at 5e-4, 400 epochs, squares of 256 px. It tests at the image's own size, and so no scale is drawn. Its
batch size, schedule and flips were not read; batches of 8, a polynomial fall of the rate and horizontal flips are ours.
"""

recipe = dict(
    epochs=400,
    batch_size=8,
    optimizer=dict(type="Adam", lr=5e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=1e-6),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomCrop", size=256),
    ],
)
