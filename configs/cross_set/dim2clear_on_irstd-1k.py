"""Dim2Clear trained on IRSTD-1k alone, for the matrix of docs/results.md."""

method = dict(type="dim2clear", checkpoint="checkpoints/single/dim2clear_irstd-1k_budget-d10072f0.safetensors")
