# Networks by weights trained on the set alone, later ones too. One that has no such row stands there with published figures.
_base_ = "all.py"
title = "Table 1 with weights of the set alone"
weights = ["alone"]
