"""Errors that a user can act on. The command line prints them as one line, without a traceback."""


class ZooError(Exception):
    """Something outside the code is wrong: a file, a data set, a checkpoint. The text names it and the remedy."""


class UsageError(ZooError):
    """The call itself is wrong: an unknown name, an option out of range. The command line exits with status 2."""


# What the code of a method or a plug-in may end in: any error, and the end of the whole program.
FAILURES = (Exception, SystemExit)


def visible(text):
    """The text as one line that does nothing to a terminal: control characters, and others without a shape, by their codes."""
    text = " ".join(text.splitlines())
    return text if text.isprintable() else "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def one_line(error):
    """An exception as one line; the class is named unless the text was written for users."""
    text = visible(" ".join(str(error).split()))
    if isinstance(error, SystemExit):
        return f"it ends the program (SystemExit: {text})"
    return text if isinstance(error, ZooError) else f"{type(error).__name__}: {text}"
