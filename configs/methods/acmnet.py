"""ACMNet, with the training recipe of YimianDai/open-acm, train_dentist.py.

Repaired: the script builds a learning-rate schedule and never uses it with AdaGrad. Here the rate falls by the schedule of
a PyTorch version by others (Tianfang-Zhang/acm-pytorch): polynomial, power 0.9, to 1e-6.
"""

method = dict(type="acmnet")

recipe = dict(
    epochs=300,
    batch_size=8,
    optimizer=dict(type="Adagrad", lr=0.05, weight_decay=1e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=1e-6),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=512, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=480),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
