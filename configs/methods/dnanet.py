"""DNANet, with the training recipe of YeRen123455/Infrared-Small-Target-Detection, train.py and its README.

Repaired: the script steps its cosine schedule once, before the first epoch, so that its rate stays at 0.05; here the rate
falls over the run. Its best epoch, which any later epoch with some overlap replaces, was chosen on the test set; here the
last one counts.
"""

method = dict(type="dnanet")

recipe = dict(
    epochs=1500,
    batch_size=16,
    optimizer=dict(type="Adagrad", lr=0.05),
    schedule=dict(type="CosineAnnealingLR", eta_min=1e-5),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=256, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=256),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
