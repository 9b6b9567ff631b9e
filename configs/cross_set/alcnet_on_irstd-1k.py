"""ALCNet trained on IRSTD-1k alone, for the matrix of docs/results.md."""

method = dict(type="alcnet", checkpoint="checkpoints/single/alcnet_irstd-1k_budget-00a936af.safetensors")
