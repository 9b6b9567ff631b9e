"""L2SKNet as a feature pyramid."""

method = dict(type="l2sknet", variant="fpn")

card = dict(notes=("The authors' feature pyramid: 1,071,053 parameters.",))
