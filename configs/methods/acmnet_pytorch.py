"""ACMNet with the U-Net of acm-pytorch: 519,843 parameters; its fusions have one convolution more than the author's."""

method = dict(type="acmnet", tiny=False, reduce=True, align_corners=False, per_sample_loss=True)
