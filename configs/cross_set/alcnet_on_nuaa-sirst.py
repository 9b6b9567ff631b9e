"""ALCNet trained on NUAA-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="alcnet", checkpoint="checkpoints/single/alcnet_nuaa-sirst_budget-de644cd4.safetensors")
