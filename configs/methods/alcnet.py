"""ALCNet, with the training recipe of YimianDai/open-alcnet.

Ours: the learning rate falls polynomially, as for ACMNet (see acmnet.py). Whether the script uses a schedule of its own with
AdaGrad is not known here. Its default batch of 2 is kept.
"""

method = dict(type="alcnet")

recipe = dict(
    epochs=300,
    batch_size=2,
    optimizer=dict(type="Adagrad", lr=0.1, weight_decay=1e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=1e-6),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=512, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=480),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
