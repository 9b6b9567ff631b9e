"""RIPT with overlapping windows averaged: utils/res_patch_ten_mean.m of the authors' repository, which its demo shadows."""

method = dict(type="ript", reconstruct="mean")
