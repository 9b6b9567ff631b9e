#!/usr/bin/env python
"""The benchmark's command line. `python run_benchmark.py --help` tells what it does."""

import sys

from irsam_zoo.__main__ import program

if __name__ == "__main__":
    sys.exit(program())
