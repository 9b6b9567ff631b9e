"""Dim2Clear trained on NUAA-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="dim2clear", checkpoint="checkpoints/single/dim2clear_nuaa-sirst_budget-45860cd7.safetensors")
