"""Check the data sets."""

from argparse import Namespace

from irsam_zoo.commands.parser import DATA_ROOT, DEBUG, Subparsers, run_option
from irsam_zoo.zoo.terminal import show


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("data", parents=[DATA_ROOT, run_option("datasets"), DEBUG])
    parser.add_argument("--check", action="store_true", required=True, help="look at every file")
    parser.set_defaults(command=check_data)


def check_data(args: Namespace) -> int:
    from irsam_zoo.datasets.doctor import check, format_report

    report = check(args.data_root, args.datasets)
    show(format_report(report))
    return 0 if report.ok else 1
