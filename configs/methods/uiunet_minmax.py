"""UIU-Net with the cut of the authors' test program, which stretches every image's probabilities to 0..1 first."""

method = dict(type="uiunet", threshold="minmax_prob(0.22)")
