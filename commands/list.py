"""List methods and data sets."""

from argparse import Namespace

from irsam_zoo.commands.parser import CHECKPOINTS, DATA_ROOT, DEBUG, PLUGIN, Subparsers, load_plugins
from irsam_zoo.zoo.terminal import show


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    commands.add_parser("list", parents=[DATA_ROOT, CHECKPOINTS, PLUGIN, DEBUG]).set_defaults(command=list_all)


def list_all(args: Namespace) -> int:
    from irsam_zoo.reports.listing import dataset_listing, method_listing

    load_plugins(args.plugin)
    show(method_listing(args.checkpoints))
    show(dataset_listing(args.data_root))
    return 0
