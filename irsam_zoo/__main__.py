"""`python -m irsam_zoo`: the command line."""

import sys

from irsam_zoo.commands.main import program

if __name__ == "__main__":
    sys.exit(program())
