"""UIU-Net, with the training recipe of danfenghong/IEEE_TIP_UIU-Net.

Repaired: the script reads the images in the same order in every epoch; here they are shuffled.
"""

method = dict(type="uiunet")

recipe = dict(
    epochs=500,
    batch_size=3,
    optimizer=dict(type="Adam", lr=1e-3),
    augmentation=[
        dict(type="Resize", size=320),
        dict(type="RandomCrop", size=288),
    ],
)
