"""ACMNet with the author's second stem, which works at a quarter of the image's size: 518,419 parameters."""

method = dict(type="acmnet", tiny=False)
