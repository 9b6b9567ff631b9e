# Networks by weights trained on several sets together alone, later ones too: what one model does on each of its sets.
_base_ = "all.py"
title = "Table 1 with joint weights alone"
weights = ["joint"]
