# Table 1 of IRSAM (ECCV 2024): the rows and the data sets, in its order, and the rows of the group "ours".
methods = [
    "top_hat",
    "max_median",
    "wslcm",
    "tllcm",
    "ipi",
    "nram",
    "ript",
    "pstnn",
    "mslstipt",
    "mdvsfa",
    "acmnet",
    "alcnet",
    "dim2clear",
    "uiunet",
    "dnanet",
    "isnet",
    "irsam",
]
datasets = ["irstd-1k", "nudt-sirst", "nuaa-sirst"]
ours = ["irsam"]
# The group "after Table 1": networks that were published later, or that the paper does not compare with. LaTeX leaves it out.
after = ["istdunet", "rdian", "agpcnet", "rpcanet", "rpcanet_pp", "mshnet", "sctransnet", "l2sknet", "hdnet"]
with_after = False
