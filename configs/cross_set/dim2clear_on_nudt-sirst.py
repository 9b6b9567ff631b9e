"""Dim2Clear trained on NUDT-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="dim2clear", checkpoint="checkpoints/single/dim2clear_nudt-sirst_budget-e7d9ca28.safetensors")
