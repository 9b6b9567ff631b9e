"""ISTDU-Net, with the training recipe of zhanglw882/ISTDU-Net, train_DS.py.

Repaired: the script reads the images that it is validated on as training images, one folder for both; here the training list
is read, and the last epoch counts. Ours: RAdam without the Lookahead around it, a rate that rises along half a cosine rather
than a line, and padding at the bottom and the right rather than at a random place. Its random brightness and contrast are left
out.
"""

method = dict(type="istdunet")

recipe = dict(
    epochs=12000,
    batch_size=2,
    optimizer=dict(type="RAdam", lr=1e-3, weight_decay=1e-4, decoupled_weight_decay=True),
    schedule=dict(type="OneCycleLR", eta_max=1e-3, pct_start=50 / 12000),
    augmentation=[
        dict(type="RandomCrop", size=512),
        dict(type="RandomFlip", prob=0.5),
    ],
)
