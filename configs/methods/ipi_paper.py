# The paper's values as later notes quote them: weight 1 / sqrt(longer side of the patch image), decay 0.99,
# floor 0.05 of the fourth singular value. The author's code has 0.9 and 0.005. Its rank rules are off here: with
# so slow a decay they end the solver before the target is separated.
method = dict(type="ipi", weight_side="patch_image", decay=0.99, floor=0.05, rank_stop=False)
