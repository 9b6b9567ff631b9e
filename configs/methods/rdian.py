"""RDIAN, with the training recipe of sun11999/RDIAN.

Repaired: the script draws the shifts of the batch norms with deviation 1; here they start at 0. Its best epoch was chosen on
the test list; here the last one counts.
"""

method = dict(type="rdian")

recipe = dict(
    epochs=300,
    batch_size=8,
    optimizer=dict(type="Adagrad", lr=0.005, weight_decay=1e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=1e-6),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=512, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=480),
    ],
)
