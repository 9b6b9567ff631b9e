"""Write the report of a result folder; compare two, or merge several."""

from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import DATA_ROOT, DEBUG, PLUGIN, PROTOCOL, Subparsers, load_plugins
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import say, show, warn

if TYPE_CHECKING:
    from irsam_zoo.reports.report import Part, ReportOptions
    from irsam_zoo.results.row import Row


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("report", parents=[PROTOCOL, DATA_ROOT, PLUGIN, DEBUG])
    parser.add_argument("--out", metavar="DIR", help="result folder")
    parser.add_argument("--threshold", metavar="POLICY", help="cut the stored sweeps by another policy (exact protocol)")
    parser.add_argument(
        "--columns", nargs="+", metavar="NAME", help="what tables show, such as IoU F1 AUC Pd-by-size (docs/tables.md)"
    )
    parser.add_argument("--digits", type=int, metavar="N", help="digits behind the point")
    parser.add_argument("--ci", action="store_true", help="show the 95 %% intervals in the tables")
    parser.add_argument("--transpose", action="store_true", help="methods across")
    parser.add_argument("--with-published", action="store_true", help="show published methods that the suite does not have")
    parser.add_argument(
        "--table",
        default="table1",
        metavar="NAME",
        help="a file of configs/tables: all has later networks in LaTeX too, joint and single show weights of one kind",
    )
    parser.add_argument(
        "--beside",
        nargs="+",
        default=(),
        metavar="DIR",
        help="result folders of other weights of the same networks, for tables",
    )
    parser.add_argument(
        "--figures", nargs="+", metavar="NAME", help="these figures alone, or none (default: all that can be drawn)"
    )
    parser.add_argument(
        "--images", nargs="+", default=(), metavar="ID", help="those to show in figures (default: where methods differ most)"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write TABLE1.md, table1.tex and table1.csv alone, beside the results; of another --table its name is added",
    )
    several = parser.add_mutually_exclusive_group()
    several.add_argument("--compare", nargs=2, metavar=("A", "B"), help="print what changed from result folder A to B")
    several.add_argument("--merge", nargs="+", metavar="DIR", help="first join these result folders into --out, a new one")
    parser.set_defaults(command=report)


def report(args: Namespace) -> int:
    check_protocol(args.protocol)
    load_plugins(args.plugin)
    if args.threshold:
        check_sweep_protocol(args.protocol)
    if args.compare:
        return compare(args)
    if args.out is None:
        raise UsageError(f"report needs --out DIR, the result folder, or --compare A B; see {PROGRAM} report --help")
    options = report_options(args)
    if args.merge:
        from irsam_zoo.results.merge import merge_folders

        for line in merge_folders(args.merge, args.out):
            warn(line)
    failed = write_reports(args.out, options, args.threshold, published=args.publish)
    for row in failed:
        warn(f"failed: {row.method} on {row.dataset}: {row.reason}")
    return 1 if failed else 0


def compare(args: Namespace) -> int:
    """Print what changed between two result folders."""
    from irsam_zoo.reports.compare import to_text
    from irsam_zoo.results.stored_rows import StoredRows
    from irsam_zoo.zoo import build_threshold

    policy = build_threshold(args.threshold) if args.threshold else None
    a, b = (StoredRows.read(folder, policy) for folder in args.compare)
    show(to_text(a, b, report_options(args)))
    return 0


def report_options(args: Namespace) -> "ReportOptions":
    """The `reports.report.ReportOptions` of a command line."""
    from irsam_zoo.reports.cell_texts import Layout
    from irsam_zoo.reports.report import ReportOptions

    chosen = {"columns": tuple(args.columns)} if args.columns else {}
    return ReportOptions(
        protocol=args.protocol,
        digits=args.digits,
        layout=Layout(args.ci, args.transpose),
        with_published=args.with_published,
        table=args.table,
        beside=tuple(args.beside),
        figures=_figures(args.figures),
        images=tuple(args.images),
        data_root=args.data_root,
        **chosen,
    )


def _figures(names: list[str] | None) -> tuple[str, ...] | None:
    """Names of figures, checked; None for all of them, for which matplotlib need not be there yet."""
    if names is None:
        return None
    if names == ["none"]:
        return ()
    from irsam_zoo.reports.figures.write import figure_names

    return tuple(figure_names(names))


def check_protocol(protocol: str) -> None:
    """Raise UsageError for a protocol that there is not."""
    from irsam_zoo.metrics import PROTOCOLS
    from irsam_zoo.zoo.lookup import unknown

    if protocol not in PROTOCOLS:
        raise UsageError(unknown("protocol", protocol, list(PROTOCOLS)))


def check_sweep_protocol(protocol: str) -> None:
    """Raise UsageError for a protocol that a cut of the sweep cannot have."""
    if protocol != "exact":
        raise UsageError(f"--protocol {protocol}: a cut that is chosen after scoring has the exact protocol alone")


def write_reports(
    out: str | Path,
    options: "ReportOptions",
    threshold: str | None = None,
    parts: "Iterable[Part] | None" = None,
    published: bool = False,
) -> "list[Row]":
    """Write the report of all rows of a result folder, and print its files.

    Arguments:
        out: The folder.
        options (ReportOptions): What the report shows.
        threshold: Policy to cut the stored sweeps by, or None for the rows as they are.
        parts: Of `reports.report.PARTS`; by default all.
        published: Write the table beside the results, as a repository shows it, and nothing else.

    Returns:
        list[Row]: Those that could not be cut.

    Raises:
        UsageError: The folder holds no results.
    """
    from irsam_zoo.reports.report import PARTS, published_tables, write_report
    from irsam_zoo.results.files import write_atomic
    from irsam_zoo.results.stored_rows import StoredRows
    from irsam_zoo.zoo import build_threshold

    stored = StoredRows.read(out, build_threshold(threshold) if threshold else None)
    folder, parts = (stored.store.out, [published_tables]) if published else (stored.store.out / "report", parts or PARTS)
    for path in write_report(stored, folder, write_atomic, options, parts):
        say(path)
    return stored.uncut
