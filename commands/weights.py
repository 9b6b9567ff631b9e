"""List or check the published weights that the suite knows."""

from argparse import Namespace

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import CHECKPOINTS, DATA_ROOT, DEBUG, Subparsers
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import show, warn


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("weights", parents=[CHECKPOINTS, DATA_ROOT, DEBUG])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--check", action="store_true", help="score what is here, and compare with what is stated")
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one a core)")
    parser.set_defaults(command=weights)


def weights(args: Namespace) -> int:
    from irsam_zoo.engine.known_check import check_known
    from irsam_zoo.reports.weights import check_listing, trained_listing, weights_listing
    from irsam_zoo.zoo.lookup import unknown
    from irsam_zoo.zoo.weights.folders import places, weight_folders
    from irsam_zoo.zoo.weights.known_weights import catalogue, find_known

    for name in args.names:
        if name not in catalogue():
            raise UsageError(unknown("weights", name, list(catalogue())))
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    entries = [catalogue()[name] for name in args.names or catalogue()]
    folders = weight_folders(args.checkpoints)
    found = {name: path for folder in reversed(folders) for name, path in find_known(folder).items()}
    if not args.check:
        show(weights_listing(entries, found))
        if not args.names:
            show(trained_listing(folders).rstrip("\n"))
        return 0
    here = [(known, found[known.name]) for known in entries if known.name in found]
    if not here:
        raise UsageError(f"none of these weights is in {places(args.checkpoints)}; `{PROGRAM} weights` says where to get them")
    checks = check_known(here, args.data_root, args.jobs, report=warn)
    show(check_listing(checks))
    return 1 if any(check.failed for check in checks) else 0
