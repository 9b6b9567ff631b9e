"""Schedule `short`: a tenth of the published epochs with the published loss, optimiser, batches and augmentation.

The learning rate falls to zero by half a cosine, the weights are averaged over the end of the run, and a GPU works in half
precision. `methods` holds what differs for one of them.
"""

recipe = dict(
    fraction=0.1,
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    # The average's window grows with the run, one tenth of the steps so far, so that the random start is soon forgotten.
    ema=dict(ema_type="MomentumAnnealingEMA", momentum=0.002, gamma=10),
    amp=True,
)

methods = dict(
    mdvsfa=dict(ema=None),  # three networks that learn against each other; an average of them is none of their states
)
