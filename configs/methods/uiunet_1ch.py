"""UIU-Net of BasicIRSTD.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST. For NUDT-SIRST they are 107.81 and 33.02,
for IRSTD-1k 87.466 and 39.72.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(type="uiunet", in_channels=1, stretch=False, input_size="native", mean=(101.06,), std=(34.62,))

card = dict(
    fidelity="public-port",
    url="https://github.com/XinyiYing/BasicIRSTD",
    notes=(
        "The network and the normalisation of BasicIRSTD: one channel, 50,540,309 parameters, no division by the image's "
        "maximum. The loss is the authors'.",
        "Both branches of a fusion end in one and the same convolution, as in the authors' code.",
    ),
)
