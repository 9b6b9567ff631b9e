#!/usr/bin/env python
"""The benchmark's command line. `python run_benchmark.py --help` tells what it does."""

import signal
import sys

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing yet to end in order

from irsam_zoo.commands.main import main, program

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(program())
