"""Errors that a user can act on. The command line prints them as one line, without a traceback."""


class ZooError(Exception):
    """Something outside the code is wrong: a file, a data set, a checkpoint. The text names it and the remedy."""


class UsageError(ZooError):
    """The call itself is wrong: an unknown name, an option out of range. The command line exits with status 2."""
