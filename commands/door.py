"""The command line: from its words to a command, and from whatever happens to an exit status."""

import os
import pkgutil
import sys
from argparse import Namespace
from collections.abc import Iterable
from importlib import import_module
from io import TextIOWrapper
from typing import cast

from irsam_zoo import PROGRAM, commands
from irsam_zoo.commands import run
from irsam_zoo.commands.parser import Parser
from irsam_zoo.zoo.errors import UsageError, ZooError, one_line
from irsam_zoo.zoo.memory import keep_freed_memory
from irsam_zoo.zoo.terminal import warn

_OTHERS = ("door", "parser")  # modules of the package that are no commands
COMMANDS = {
    module.name: import_module(f"{commands.__name__}.{module.name}")
    for module in pkgutil.iter_modules(commands.__path__)
    if module.name not in _OTHERS
}


def main(arguments: Iterable[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 something failed, 2 wrong usage."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    _open_streams()
    os.environ["MPLBACKEND"] = "Agg"  # no command opens a window, and matplotlib does not import where this names no backend
    keep_freed_memory()
    try:
        status = run_command(parse(arguments))
        sys.stdout.flush()
        return status
    except (UsageError, ZooError) as error:
        if debug:
            raise
        warn(f"error: {error}")
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        if debug:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to print must not fail in turn
        warn("stopped: nothing reads the output any more")
        return 1
    except OSError as error:
        if debug or error.strerror is None:
            raise
        where = ": ".join(str(part) for part in (error.filename, error.strerror) if part)
        warn(f"error: {where}")
        return 1
    except KeyboardInterrupt as error:
        same = "the same command" + " without --fresh" * ("--fresh" in arguments)
        warn(f"{error or 'stopped'}; {same} goes on from here")
        return getattr(error, "status", 130)


def _open_streams() -> None:
    """Have something behind the standard streams, which a caller may have closed: else the next file would get their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            while (handle := os.open(os.devnull, os.O_RDWR)) < number:  # those below it, if any, are closed too
                pass
            setattr(sys, name, os.fdopen(handle, mode, closefd=False))
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter must not end a run.
        cast(TextIOWrapper, stream).reconfigure(errors="backslashreplace")


def run_command(args: Namespace) -> int:
    """Run a parsed command. Code of a plug-in or a configuration must not end the program without a word."""
    try:
        return args.command(args)
    except SystemExit as error:
        raise ZooError(f"code of a plug-in or a configuration was run, and {one_line(error)}") from error


def parse(arguments: list[str]) -> Namespace:
    """The arguments of a command line, whose first may be a command; a run's files of options fill in what it leaves out."""
    parsers = Parser(prog=PROGRAM, add_help=False).add_subparsers()
    for command in COMMANDS.values():
        command.add_parser(parsers)
    name, *rest = arguments if arguments and arguments[0] in COMMANDS else ["run", *arguments]
    parser = parsers.choices[name]
    args, values = parser.parse_args(rest), {}
    if getattr(args, "from_manifest", None):
        values |= run.manifest_values(args.from_manifest, parser.settable, args.out, args.trust)
    if getattr(args, "config", None):
        values |= run.config_values(args.config, parser.settable, args.trust)
    args = parser.parse_args(rest, Namespace(**values)) if values else args
    for option, value in vars(args).items():
        if value == "" or (isinstance(value, list) and "" in value):  # a variable of a shell that is not set
            raise UsageError(f"--{option.replace('_', '-')} has an empty value; name something, or leave it out")
    return args
