"""ISTDU-Net of BasicIRSTD.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST, to the last digit, on which single pixels
depend. For NUDT-SIRST they are 107.80905151367188 and 33.02274703979492, for IRSTD-1k 87.4661865234375 and
39.71953201293945. Normalised images are continued by zeros to a multiple of 32 px. Its copy of the network returns the
mask alone, so that the head of the centre heat map does not learn.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(
    type="istdunet",
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
    notes=(
        "The network of 2,761,138 parameters is the author's; normalisation, padding and training are BasicIRSTD's, which "
        "leaves the head of the centre heat map, 9,265 of them, as it was drawn.",
    ),
)
