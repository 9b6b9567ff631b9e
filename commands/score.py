"""Score predictions of other programs."""

from argparse import Namespace
from dataclasses import fields

from irsam_zoo.commands.parser import DATA_ROOT, DEBUG, SPLIT, Subparsers, run_option
from irsam_zoo.commands.report import write_reports
from irsam_zoo.zoo.terminal import show, warn

MOST_LINES = 10


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("score", parents=[DATA_ROOT, SPLIT, run_option("out"), DEBUG])
    parser.add_argument(
        "folder",
        metavar="DIR",
        help="masks or scores, as <id>.png, .npy or .mat; or a tree of such folders, <data set>/<method>/<id>.*",
    )
    parser.add_argument("--dataset", metavar="D", help="name, or folder with images/, masks/ and lists (default: the tree's)")
    parser.add_argument("--name", metavar="X", help="of the row (default: the folder's)")
    parser.add_argument(
        "--scores",
        choices=("mask", "probability", "logit", "raw"),
        help="what the files hold (default: what is seen of them; arrays beyond 0..1 need it)",
    )
    parser.add_argument("--threshold", metavar="POLICY", help="where to cut scores (default: at one half, or as they tell)")
    parser.add_argument("--save-predictions", action="store_true", help="keep the masks, so that reports can show them")
    parser.add_argument("--strict", action="store_true", help="stop where files are missing, left over or of another size")
    parser.set_defaults(command=score)


def score(args: Namespace) -> int:
    from irsam_zoo.engine.foreign.run import score_predictions
    from irsam_zoo.reports.listing import differences_listing, metrics_listing
    from irsam_zoo.reports.report import ReportOptions, tables
    from irsam_zoo.results.options import ScoreOptions

    options = ScoreOptions(**{field.name: getattr(args, field.name) for field in fields(ScoreOptions)})
    status = 0
    for row, faults, differences in score_predictions(options, warn):
        for sort in dict.fromkeys(fault.sort for fault in faults):
            lines = [str(fault) for fault in faults if fault.sort == sort]
            more = len(lines) - MOST_LINES
            for line in lines[:MOST_LINES] + [f"... and {more} more, which the manifest lists"] * (more > 0):
                warn(line)
        for note in row.data_notes:
            warn(f"{row.dataset}: {note}")
        show(metrics_listing(row))
        show(differences_listing(row, differences))
        if row.reason:  # it is not in the tables
            warn(f"{row.status}: {row.method} on {row.dataset}: {row.reason}")
            status = 1
    write_reports(args.out, ReportOptions(), parts=[tables])
    return status
