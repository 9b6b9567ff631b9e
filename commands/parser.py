"""The parser of the command line, and the arguments that several commands have."""

import argparse
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, NoReturn

from irsam_zoo import __version__
from irsam_zoo.results.options import RunOptions
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import say

Subparsers = Any  # argparse's, whose class has no public name
FLAGS = {"plugins": "--plugin"}
OF_THE_COMMAND_LINE = ("help", "debug", "config", "from_manifest", "trust", "version")  # which no file of options sets


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    @property
    def settable(self) -> dict[str, argparse.Action]:
        """The actions of the options that a file of options may set, by name."""
        return {action.dest: action for action in self._actions if action.dest not in OF_THE_COMMAND_LINE}

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


class ShowVersion(argparse.Action):
    """Prints what a report of a fault has to name: version and commit of this program, torch, and the device."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        import torch

        from irsam_zoo.runtime.commit import code_commit
        from irsam_zoo.runtime.hardware import device_name, usable_device

        commit, device = code_commit(), device_name(usable_device("auto"))
        parts = [f"irsam-zoo {__version__}", commit and f"commit {commit}", f"torch {torch.__version__}", f"on {device}"]
        say(", ".join(filter(None, parts)))
        parser.exit()


def parent(*flags: str, **options: Any) -> argparse.ArgumentParser:
    """A parser of one argument, for the commands that share it."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(*flags, **options)
    return parser


def run_option(name: str) -> argparse.ArgumentParser:
    """A parser of one field of `RunOptions`."""
    (field,) = (field for field in fields(RunOptions) if field.name == name)
    argument = {"default": None if field.default is MISSING else field.default, **field.metadata}
    return parent(FLAGS.get(name, f"--{name.replace('_', '-')}"), **argument)


DEBUG = parent("--debug", action="store_true", help="show tracebacks")
PROTOCOL = parent(
    "--protocol", default="exact", help="whose metrics the tables show: exact (default), irsam, dnanet, basicirstd"
)
DATASET = parent("--dataset", required=True, metavar="D", help="name, or folder with images/, masks/ and lists")
DATA_ROOT, SPLIT, PLUGIN, CHECKPOINTS, DEVICE = map(run_option, ("data_root", "split", "plugins", "checkpoints", "device"))


def load_plugins(paths: Iterable[str]) -> None:
    """Import the files of ``--plugin``."""
    from irsam_zoo.zoo.plugins import load_plugin

    for path in paths:
        load_plugin(path)
