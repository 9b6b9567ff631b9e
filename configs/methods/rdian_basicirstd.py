"""RDIAN of BasicIRSTD.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST, to the last digit, on which single pixels
depend. For NUDT-SIRST they are 107.80905151367188 and 33.02274703979492, for IRSTD-1k 87.4661865234375 and
39.71953201293945. Normalised images are continued by zeros to a multiple of 32 px. The network is the authors'.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(
    type="rdian",
    input_size="native",
    mean=(101.06385040283203,),
    std=(34.619606018066406,),
    padding="zero",
    divisor=32,
)

recipe = dict(loss="soft_iou")  # of a whole batch

card = dict(
    fidelity="public-port",
    url="https://github.com/XinyiYing/BasicIRSTD",
    notes=("The network of 216,758 parameters is the authors'; normalisation, padding and training are BasicIRSTD's.",),
)
