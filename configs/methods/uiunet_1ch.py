"""UIU-Net of BasicIRSTD.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST, to the last digit, on which single pixels
depend. For NUDT-SIRST they are 107.80905151367188 and 33.02274703979492, for IRSTD-1k 87.4661865234375 and
39.71953201293945. Normalised images are continued by zeros to a multiple of 32 px.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(
    type="uiunet",
    in_channels=1,
    stretch=False,
    input_size="native",
    mean=(101.06385040283203,),
    std=(34.619606018066406,),
    padding="zero",
    divisor=32,
)

card = dict(
    fidelity="public-port",
    url="https://github.com/XinyiYing/BasicIRSTD",
    notes=(
        "The network and the normalisation of BasicIRSTD: one channel, 50,540,309 parameters, no division by the image's "
        "maximum. The loss is the authors'.",
        "Both branches of a fusion end in one and the same convolution, as in the authors' code.",
    ),
)
