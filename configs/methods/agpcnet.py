"""AGPCNet, with the training recipe of Tianfang-Zhang/AGPCNet.

The five epochs of the authors' script are of sets that are augmented on disk, such as SIRST-Aug with 8,525 images: 25 times the
training list of NUAA-SIRST. They count 125 here, and flips stand in for that augmentation. Repaired: the script's best state
was chosen on the test list; here the last one counts.
"""

method = dict(type="agpcnet")

recipe = dict(
    epochs=125,
    batch_size=8,
    optimizer=dict(type="SGD", lr=0.05, momentum=0.9, weight_decay=1e-4),
    schedule=dict(type="PolyLR", power=0.9, eta_min=0.0),
    augmentation=[
        dict(type="Resize", size=256),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
    ],
)
