"""What the forms that BasicIRSTD trains share.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST, to the last digit, on which single pixels
depend. For NUDT-SIRST they are 107.80905151367188 and 33.02274703979492, for IRSTD-1k 87.4661865234375 and
39.71953201293945. Normalised images are continued by zeros to a multiple of 32 px.

It tests at the image's own size, and so no scale is drawn. In its code a square is drawn around a target with even chance.
"""

method = dict(input_size="native", mean=(101.06385040283203,), std=(34.619606018066406,), padding="zero", divisor=32)

card = dict(fidelity="public-port", url="https://github.com/XinyiYing/BasicIRSTD")

recipe = dict(
    epochs=400,
    batch_size=16,
    optimizer=dict(type="Adam", lr=5e-4),
    schedule=dict(type="MultiStepLR", milestones=[200, 300], gamma=0.1, by_epoch=True),
    augmentation=[
        dict(type="RandomCrop", size=256, on_target=0.5),
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomTranspose", prob=0.5),
    ],
)
