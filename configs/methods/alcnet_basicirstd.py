"""What BasicIRSTD calls ALCNet.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST. For NUDT-SIRST they are 107.81 and 33.02,
for IRSTD-1k 87.466 and 39.72.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(type="alcnet", toolbox=True, input_size="native", mean=(101.06,), std=(34.62,))

card = dict(
    fidelity="public-port",
    url="https://github.com/XinyiYing/BasicIRSTD",
    notes=(
        "Equal to what BasicIRSTD calls ALCNet: one channel, no local contrast at all, 519,889 parameters, two residual stages "
        "that it never runs among them.",
        "Many later papers compare with this network under the name ALCNet.",
    ),
)
