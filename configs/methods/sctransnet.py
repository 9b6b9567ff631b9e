"""SCTransNet, with the training recipe of xdFai/SCTransNet, train.py.

Its figures are of one model trained on three sets: ``--dataset sirst3 --split dnanet``. For one set alone, it normalises by
BasicIRSTD's constants of that set (the options ``mean`` and ``std``; see acmnet_1ch.py). The author's rate rises linearly for
ten epochs from zero and falls by half a cosine; here it rises by one. Half of the squares are drawn around a target; the
author draws a square anew, with even chance, until it holds one. Repaired: the best weights of the later half of the run
were chosen on the test set; here the last ones count.
"""

method = dict(type="sctransnet")

recipe = dict(
    epochs=1000,
    batch_size=16,
    optimizer=dict(type="Adam", lr=1e-3),
    # From a 25th of the rate up, and down to a hundredth.
    schedule=dict(type="OneCycleLR", eta_max=1e-3, pct_start=0.01, final_div_factor=4),
    augmentation=[
        dict(type="RandomCrop", size=256, on_target=0.5),
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomTranspose", prob=0.5),
    ],
)
