"""ACMNet trained on NUAA-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="acmnet", checkpoint="checkpoints/single/acmnet_nuaa-sirst_budget-52806b20.safetensors")
