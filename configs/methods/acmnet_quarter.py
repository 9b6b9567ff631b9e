"""ACMNet with the author's second stem."""

method = dict(type="acmnet", tiny=False)

card = dict(
    notes=(
        "The author's second stem, which works at a quarter of the image's size: 518,419 parameters.",
        "The author's code is MXNet; outputs equal a line-by-line PyTorch transcription of it.",
        "MXNet holds the scale and shift of the input's norm at 1 and 0; here they train like any other.",
        "The author's training script builds a learning-rate schedule for AdaGrad and never uses it.",
    ),
)
