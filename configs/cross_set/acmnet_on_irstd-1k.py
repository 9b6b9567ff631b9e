"""ACMNet trained on IRSTD-1k alone, for the matrix of docs/results.md."""

method = dict(type="acmnet", checkpoint="checkpoints/single/acmnet_irstd-1k_budget-3bdd6223.safetensors")
