"""RPCANet, with the training recipe of fengyiwu98/RPCANet: its run scripts, and the flips that it has for NUAA-SIRST.

For NUDT-SIRST and IRSTD-1k the authors augment nothing: ``--recipe augmentation.0.prob=0 augmentation.1.prob=0
augmentation.2.prob=0``.
Repaired: the best weights were chosen on the test set, every 100 iterations; here the last ones count. The script of the
WACV release takes 400 epochs, seeds no flips, and weighs the restored image 0.1 (the option ``restoration_weight``).
"""

method = dict(type="rpcanet")

recipe = dict(
    epochs=800,
    batch_size=8,
    optimizer=dict(type="Adam", lr=1e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=0.0),
    augmentation=[
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomTranspose", prob=0.5),
        dict(type="Resize", size=256),
    ],
)
