"""What a run stands on: worker processes, interrupts, memory, hardware, progress and durations."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
