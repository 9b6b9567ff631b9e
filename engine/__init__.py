"""How a benchmark runs: evaluation loop, metrics, profiling, result store."""
