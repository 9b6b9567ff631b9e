"""ACMNet with the feature pyramid of acm-pytorch: 387,187 parameters. Its weights are drawn as there."""

method = dict(type="acmnet", decoder="fpn", tiny=False, align_corners=False, per_sample_loss=True)
