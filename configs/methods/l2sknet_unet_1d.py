"""L2SKNet with one-dimensional kernels."""

method = dict(type="l2sknet", variant="unet_1d")

card = dict(
    notes=(
        "1,326,753 parameters, of which 507,904 belong to square kernels that the authors' network builds and never calls; "
        "they are kept so that checkpoints load, and the published counts leave them out.",
        "The sums and centres of the kernels are multiplied channel pair by channel pair, as the authors' code does; the two "
        "convolutions in a row have other sums and centres, so that the difference from the neighbours is not one.",
    ),
)
