"""ACMNet with the feature pyramid of acm-pytorch."""

method = dict(type="acmnet", decoder="fpn", tiny=False, align_corners=False, per_sample_loss=True)

card = dict(
    fidelity="public-port",
    url="https://github.com/Tianfang-Zhang/acm-pytorch",
    notes=(
        "Equal to the feature pyramid of acm-pytorch: 387,187 parameters. Loss and initialisation are acm-pytorch's as well.",
    ),
)
