"""ACMNet of BasicIRSTD.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST, to the last digit, on which single pixels
depend. For NUDT-SIRST they are 107.80905151367188 and 33.02274703979492, for IRSTD-1k 87.4661865234375 and
39.71953201293945. Normalised images are continued by zeros to a multiple of 32 px.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(
    type="acmnet",
    in_channels=1,
    blocks=3,
    tiny=False,
    align_corners=False,
    probabilities=True,
    input_size="native",
    mean=(101.06385040283203,),
    std=(34.619606018066406,),
    padding="zero",
    divisor=32,
)

card = dict(
    fidelity="public-port",
    url="https://github.com/XinyiYing/BasicIRSTD",
    notes=("Equal to the ACM of BasicIRSTD: one channel, three blocks a stage, 397,823 parameters.",),
)
