"""MSHNet, with the training recipe of Lliu666/MSHNet.

The first six of its epochs are a warm-up (`warm_up` of the detector). Repaired: the script's best epoch was chosen on the test
list; here the last one counts.
"""

method = dict(type="mshnet")

recipe = dict(
    epochs=400,
    batch_size=4,
    optimizer=dict(type="Adagrad", lr=0.05),
    augmentation=[
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomScale", base=256, scale=(0.5, 2.0)),
        dict(type="RandomCrop", size=256),
        dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
    ],
)
