"""ISNet, with the training recipe of RuiZhang97/ISNet, branch master.

Repaired: the script's cosine has a half-period of 30 epochs in a run of 3000, so that the rate swings up and down fifty
times; here it falls once. The script's further photometric augmentation (albumentations) is left out: its package does not
fit this suite's versions.
"""

method = dict(type="isnet")

recipe = dict(
    epochs=3000,
    batch_size=12,
    optimizer=dict(type="Adagrad", lr=0.05, weight_decay=1e-4),
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=512, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=480),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
