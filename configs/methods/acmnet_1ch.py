"""ACMNet of BasicIRSTD."""

_base_ = "_base_/basicirstd.py"  # how it reads images, and the recipe

method = dict(type="acmnet", in_channels=1, blocks=3, tiny=False, align_corners=False, probabilities=True)

card = dict(notes=("Equal to the ACM of BasicIRSTD: one channel, three blocks a stage, 397,823 parameters.",))
