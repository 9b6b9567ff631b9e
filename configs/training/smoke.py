"""Schedule `smoke`: about a minute a method on two CPU cores, to see that everything works from image to table.

Images are resized to the size at which the method tests, so that targets are as large as they will be there, and small
squares are cut out, most of them around a target. `methods` holds each network's budget.
"""

crop = 128

recipe = dict(
    steps=100,
    batch_size=8,
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=1e-4),
    schedule=dict(type="OneCycleLR", eta_max=4e-3, pct_start=0.2),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="Resize", size="input_size"),
        dict(type="RandomCrop", size=crop, on_target=0.8),
    ],
    saves=1,
)

methods = dict()
