"""ALCNet that learns how to weigh its two contrast scales."""

method = dict(type="alcnet", scale_mode="localsk")

card = dict(
    notes=(
        "The author's scale mode localsk weighs the two contrasts at each pixel: 378,459 parameters. No weights of it were "
        "released.",
        "The author's code is MXNet; outputs equal a line-by-line PyTorch transcription of it.",
        "The paper's tables print 0.54 M; no configuration of the author's code has that many.",
        "The contrasts wrap around at the border, as the author's circular shifts do.",
    ),
)
