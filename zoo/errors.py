"""Errors that a user can act on. The command line prints them as one line, without a traceback."""


class ZooError(Exception):
    """Something outside the code is wrong: a file, a data set, a checkpoint. The text names it and the remedy."""


class UsageError(ZooError):
    """The call itself is wrong: an unknown name, an option out of range. The command line exits with status 2."""


class BrokenMethodError(UsageError):
    """A method is there, but its configuration or its class does not build. Others can be run."""


class OutOfTime(BaseException):
    """Code has run for longer than it may. No `Exception`, so that an ``except Exception`` of its own does not pass over it."""


LONGEST = 1000  # letters of a text of others, such as an exception that prints an array

# What the code of a method or a plug-in may end in: any error, and the end of the whole program.
FAILURES = (Exception, SystemExit, OutOfTime)


def visible(text: str) -> str:
    """The text as one line that does nothing to a terminal: control characters, and others without a shape, by their codes."""
    text = " ".join(text.splitlines())
    return text if text.isprintable() else "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def shortened(text: str) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} letters)"


def one_line(error: BaseException) -> str:
    """An exception as one line of some length; the class is named unless the text was written for users."""
    try:
        text = shortened(" ".join(str(error).split()))
    except Exception:  # of a class of others
        text = "(its text cannot be made)"
    if isinstance(error, SystemExit):
        return f"it ends the program (SystemExit: {visible(text)})"
    return visible(text if isinstance(error, (ZooError, OutOfTime)) else f"{type(error).__name__}: {text}".rstrip(": "))
