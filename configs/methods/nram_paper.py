# The paper's scales as quoted in later papers: mu from the shorter side of the patch image, lambda from the longer,
# C from its number of rows. The author's demo has longer, shorter and shorter.
method = dict(type="nram", penalty_side="shorter", weight_side="longer", reweight_side="rows")
