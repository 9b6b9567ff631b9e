"""How a benchmark runs: evaluation loop, metrics, profiling, result store."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
