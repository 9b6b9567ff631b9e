"""How thoroughly a network is trained."""

SCHEDULES = ("paper", "short", "smoke")  # best first
