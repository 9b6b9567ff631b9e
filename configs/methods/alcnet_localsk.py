"""ALCNet that learns how to weigh its two contrast scales at each pixel: 378,459 parameters; no weights were released."""

method = dict(type="alcnet", scale_mode="localsk")
