"""ACMNet with the U-Net of acm-pytorch."""

method = dict(type="acmnet", tiny=False, reduce=True, align_corners=False, per_sample_loss=True)

card = dict(
    fidelity="public-port",
    url="https://github.com/Tianfang-Zhang/acm-pytorch",
    notes=(
        "Equal to the U-Net of acm-pytorch, whose fusions have a 1x1 convolution more than the author's: 519,843 parameters. "
        "Loss and initialisation are acm-pytorch's as well.",
    ),
)
