"""Print a script by which a shell completes the command line."""

from functools import partial
from types import SimpleNamespace

from irsam_zoo.commands.parser import DEBUG, Parser

SHELLS = ("bash", "zsh", "tcsh")


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser("completion", parents=[DEBUG])
    parser.add_argument("shell", choices=SHELLS, help="as in: irsam-zoo completion bash > ~/.bash_completion.d/irsam-zoo")
    parser.set_defaults(command=completion)


def completion(args):
    import shtab

    from irsam_zoo.zoo.terminal import show

    show(shtab.complete(_whole_parser(), args.shell))
    return 0


def _whole_parser():
    """One parser of all commands; that of a run, which needs no name, is the first."""
    from irsam_zoo.commands.door import COMMANDS

    runs = Parser(add_help=False).add_subparsers()
    COMMANDS["run"].add_parser(runs)
    whole = Parser(prog="irsam-zoo", parents=[runs.choices["run"]], add_help=False)
    others = whole.add_subparsers()
    for name, command in COMMANDS.items():
        if name != "run":  # shtab passes over commands without a help
            command.add_parser(
                SimpleNamespace(add_parser=partial(others.add_parser, help=(command.__doc__ or "").partition("\n")[0]))
            )
    _tell_values(whole)
    return whole


def _tell_values(parser):
    """Have the names of methods and data sets, files and folders completed, by what arguments are called in the help."""
    from shtab import DIRECTORY, FILE

    from irsam_zoo.datasets import list_datasets
    from irsam_zoo.zoo import list_configs, list_methods

    methods = [*list_methods(), *list_configs()]
    names = {"M": methods, "METHOD": methods, "D": list_datasets()}
    places = {"FILE": FILE, "SOURCE": FILE, "METHOD PATH": FILE, "DIR": DIRECTORY, "OUT": DIRECTORY}
    for action in parser._actions:
        if isinstance(action.choices, dict):  # of commands
            for inner in action.choices.values():
                _tell_values(inner)
        elif action.metavar in names:
            action.choices = names[action.metavar]
        elif action.metavar in places:
            action.complete = places[action.metavar]
