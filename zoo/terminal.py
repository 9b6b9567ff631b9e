"""The one door to the terminal: what is printed goes through here, so that no text of a file or a name does anything to it."""

import sys

from irsam_zoo.zoo.errors import visible


def say(line: object) -> None:
    """Print one line on standard output, as `zoo.errors.visible` makes it."""
    print(visible(str(line)))


def warn(line: object) -> None:
    """As `say`, on standard error."""
    print(visible(str(line)), file=sys.stderr)


def show(text: str) -> None:
    """Print a text of several lines on standard output, each as `say` does."""
    print("\n".join(map(visible, text.split("\n"))))
