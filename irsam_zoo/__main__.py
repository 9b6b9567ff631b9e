"""The command line as a program: ``python -m irsam_zoo``, the script ``irsam-zoo``, and ``run_benchmark.py`` of a checkout."""

import signal
import sys


def program() -> int:
    """Run the command of the process's arguments; gives its exit status. Signals end it in order."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it imports, there is nothing yet to end in order
    from irsam_zoo.commands.door import main
    from irsam_zoo.runtime.interrupts import listen

    listen()
    return main()


if __name__ == "__main__":
    sys.exit(program())
