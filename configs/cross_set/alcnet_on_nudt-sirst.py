"""ALCNet trained on NUDT-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="alcnet", checkpoint="checkpoints/single/alcnet_nudt-sirst_budget-a8573d95.safetensors")
