"""ACMNet with the feature pyramid of acm-pytorch: 387,187 parameters."""

method = dict(type="acmnet", decoder="fpn", tiny=False, align_corners=False, per_sample_loss=True)
