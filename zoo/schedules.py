"""How thoroughly a network is trained."""

SCHEDULES = ("paper", "budget", "short", "smoke")  # best first
