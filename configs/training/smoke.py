"""Schedule `smoke`: about a minute of one CPU core a network, to see that everything works from image to table.

A run trains one network a core, side by side; the zoo was timed on two cores.

Images are resized to the size at which the method tests, so that targets are as large as they will be there, and small
squares are cut out, most of them around a target. `methods` holds each network's budget: the steps and squares that it can
afford. No accuracy is to be read into what this schedule trains.
"""


def cut(size):
    return [
        dict(type="RandomFlip", prob=0.5),
        dict(type="Resize", size="input_size"),
        dict(type="RandomCrop", size=size, on_target=0.9),
    ]


def adam(rate):
    """AdamW whose rate rises to ``rate`` over a fifth of the run and falls to zero."""
    return dict(
        optimizer=dict(type="AdamW", lr=rate, weight_decay=1e-4),
        schedule=dict(type="OneCycleLR", eta_max=rate, pct_start=0.2),
    )


def adagrad(rate):
    """AdaGrad, with which most of these networks were published, and half a cosine."""
    return dict(optimizer=dict(type="Adagrad", lr=rate), schedule=dict(type="CosineAnnealingLR", eta_min=0.0))


recipe = dict(steps=150, batch_size=8, augmentation=cut(64), saves=1, **adam(2e-3))

methods = dict(
    acmnet=dict(steps=420, batch_size=4, augmentation=cut(48), **adagrad(0.05)),
    agpcnet=dict(steps=80, batch_size=2, augmentation=cut(96)),
    alcnet=dict(steps=110, batch_size=4, augmentation=cut(96), **adagrad(0.05)),
    dim2clear=dict(steps=180, batch_size=8, augmentation=cut(64), **adagrad(0.05)),
    dnanet=dict(steps=100, batch_size=4, augmentation=cut(48), **adagrad(0.05)),
    hdnet=dict(evaluation=dict(warm_up=0.1)),
    irsam=dict(steps=38, batch_size=2, augmentation=cut(128), **adam(5e-4)),
    isnet=dict(steps=70, batch_size=4, augmentation=cut(64), **adagrad(0.05)),
    istdunet=dict(steps=80),
    # The adversarial step takes 128x128 px and some 15 s of one core for a batch of two. The smoke schedule trains the
    # generators by the losses that need no discriminator.
    mdvsfa=dict(model="TrainingModel", steps=42, batch_size=2, augmentation=cut(48), **adam(1e-3)),
    mmseg=dict(steps=150, batch_size=8, augmentation=cut(64), **adam(5e-3)),
    mshnet=dict(evaluation=dict(warm_up=0.1)),
    rdian=dict(steps=400),
    rpcanet=dict(steps=130, batch_size=4, augmentation=cut(48), **adam(1e-3)),
    rpcanet_pp=dict(steps=25, batch_size=2, augmentation=cut(48), **adam(1e-3)),
    sctransnet=dict(steps=110, batch_size=4, augmentation=cut(64), **adam(1e-3)),
    uiunet=dict(steps=32, batch_size=2, augmentation=cut(96), **adam(1e-3)),
)
