"""ACMNet trained on NUDT-SIRST alone, for the matrix of docs/results.md."""

method = dict(type="acmnet", checkpoint="checkpoints/single/acmnet_nudt-sirst_budget-9d91401c.safetensors")
