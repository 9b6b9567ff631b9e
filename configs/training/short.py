"""Schedule `short`: a tenth of the published epochs (or steps) with the published loss, optimiser, batches and augmentation.

The learning rate falls to zero by half a cosine, the weights are averaged over the end of the run, and a GPU works in half
precision. `methods` holds what differs for one of them, and for its variants that bring no recipe: ACMNet and ALCNet take other
squares and more than a tenth of the epochs.
"""


def small_squares(size, epochs):
    """The recipe of open-acm and open-alcnet on small squares, most of them around a target, and more of them.

    The authors' squares of 480 px hold a target nearly always, and take a CPU eight hours for a tenth of the epochs. These
    take a tenth of the time, and in it several times as many steps.
    """
    return dict(
        epochs=epochs,
        augmentation=[
            dict(type="RandomFlip", prob=0.5),
            dict(type="RandomScale", base=512, scale=(0.5, 2.0)),
            dict(type="RandomCrop", size=size, on_target=0.75),
            dict(type="GaussianBlur", prob=0.5, sigma=(0.0, 1.0)),
        ],
    )


recipe = dict(
    fraction=0.1,
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    # The average's window grows with the run, one tenth of the steps so far, so that the random start is soon forgotten.
    ema=dict(ema_type="MomentumAnnealingEMA", momentum=0.002, gamma=10),
    amp=True,
)

methods = dict(
    acmnet=small_squares(128, epochs=100),
    alcnet=small_squares(128, epochs=50),
    # The published six epochs.
    hdnet=dict(evaluation=dict(warm_up=6 / 80)),
    mshnet=dict(evaluation=dict(warm_up=6 / 40)),
    mdvsfa=dict(ema=None),  # three networks that learn against each other; an average of them is none of their states
)
