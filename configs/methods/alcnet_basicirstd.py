"""What BasicIRSTD and the papers that use it call ALCNet: one channel, no local contrast, 519,889 parameters.

BasicIRSTD normalises by the training set; these are its values for NUAA-SIRST. For NUDT-SIRST they are 107.81 and 33.02,
for IRSTD-1k 87.466 and 39.72. Images are continued by zeros to a multiple of 32 px once they are normalised.
"""

_base_ = "../training/basicirstd.py"  # the recipe

method = dict(type="alcnet", toolbox=True, input_size="native", mean=(101.06,), std=(34.62,), padding="zero", divisor=32)
