"""Schedule `budget`: the same processor time for every network, by the same recipe.

Squares of images at their own size grow in three phases, of which each has a share of the time, with batches that keep a
step's cost level; the last phase lets batch norm and global attention see what a test image is, of which most is background.
One warm-up and one cosine go over the whole run, and the weights are averaged over its last part. `training.budget`
finds out how many steps the time is enough for. `methods` holds what was chosen for a network on a tenth of the training
list (see docs/training.md), and where its structure asks for other squares.
"""


def phases(*squares):
    """Three phases of half, three tenths and a fifth of the time, from ``(side in px, batch size)``."""
    shares = ((0.5, 0.9), (0.3, 0.8), (0.2, 0.6))  # of the time, and of squares around a target
    return [
        dict(size=size, batch_size=batch, share=share, on_target=on_target)
        for (size, batch), (share, on_target) in zip(squares, shares, strict=True)
    ]


def adamw(rate, **options):
    """AdamW whose rate rises to ``rate`` over a twentieth of the run and falls to zero by half a cosine."""
    return dict(
        optimizer=dict(type="AdamW", lr=rate, weight_decay=1e-4, **options),
        schedule=dict(type="OneCycleLR", eta_max=rate, pct_start=0.05),
    )


recipe = dict(
    phases=phases((64, 32), (128, 8), (256, 2)),
    gpu_batch=4,  # with less, a GPU waits for its launches
    evaluation=dict(input_size="native"),
    augmentation=[
        dict(type="RandomZoomedCrop", size="phase.size", on_target="phase.on_target", prob=0.5, scale=(0.8, 1.25)),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomFlip", prob=0.5, direction="vertical"),
    ],
    # The average's window grows to some 200 steps, of thousands.
    ema=dict(ema_type="MomentumAnnealingEMA", momentum=0.005, gamma=10),
    amp=True,
    saves=24,
    **adamw(2e-3),
)

methods = dict(
    dnanet=adamw(4e-3),
    acmnet=adamw(5e-3),
    # Its contrasts reach over 17 px at a quarter of the size.
    alcnet=dict(phases=phases((96, 14), (128, 8), (256, 2)), **adamw(5e-3)),
    # Its grid of patches needs 76 px.
    agpcnet=dict(phases=phases((96, 14), (128, 8), (256, 2))),
    uiunet=adamw(1e-3),
    rpcanet=adamw(1e-3),
    rpcanet_pp=adamw(1e-3),
    sctransnet=adamw(1e-3),
    l2sknet=adamw(5e-3),
    # An adversarial step takes squares of 128 px, which are the second phase; before and after, the generators learn without
    # the discriminator. A step of theirs costs four times that of others.
    mdvsfa=dict(
        phases=phases((64, 8), (128, 2), (256, 1)),
        optimizer=dict(
            generator1=dict(type="AdamW", lr=1e-3, weight_decay=1e-4),
            generator2=dict(type="AdamW", lr=1e-3, weight_decay=1e-4),
            discriminator=dict(type="AdamW", lr=1e-4, weight_decay=1e-4),
        ),
        schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    ),
    # The published warm-up would be less than an epoch.
    hdnet=dict(evaluation=dict(input_size="native", warm_up=0.05)),
    mshnet=dict(evaluation=dict(input_size="native", warm_up=0.05), **adamw(5e-3)),
    irsam=dict(evaluation=dict(input_size="native", enlarge=1), **adamw(4e-4, betas=(0.9, 0.99))),
)
