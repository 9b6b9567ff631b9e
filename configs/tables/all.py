# Table 1 with the group "after Table 1" in LaTeX too, whole: methods of it that have no row stand there without figures.
_base_ = "table1.py"
with_after = True
