"""How a benchmark runs: evaluation loop, metrics, profiling, result store."""

import zoo  # noqa: F401 - before anything here imports mmengine: see zoo._yapf
