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
# Which of a network's rows its line shows: of weights trained on the set alone, as the papers' mostly are, else on several sets
# together, else any (`reports.stand_in`). The others of the kind show one: joint.py and single.py.
weights = ["alone", "joint", "other"]
# Result folders, seen from the one that is reported, whose rows may take the place of a network's; read where they are there.
beside = ["studies/cross_set"]
