"""HDNet, with the training recipe of iLearn-Lab/TGRS25-HDNet, main.py.

The first six of its epochs are a warm-up (`warm_up` of the detector). Its rate swings between 0.05 and 0.045, as published.
Repaired: the script's best epoch was chosen on the test list; here the last one counts.
"""

method = dict(type="hdnet")

recipe = dict(
    epochs=800,
    batch_size=4,
    optimizer=dict(type="Adagrad", lr=0.05),
    schedule=dict(type="CosineAnnealingLR", by_epoch=True, T_max=25, eta_min=0.045),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=256, scale=(0.5, 1.5)),
        dict(type="RandomCrop", size=256),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
