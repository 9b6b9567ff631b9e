"""Write the tables and figures of a result folder."""

import sys
from functools import partial

from commands.parser import DATA_ROOT, DEBUG, PLUGIN, PROTOCOL, load_plugins
from zoo.errors import UsageError


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser("report", parents=[PROTOCOL, DATA_ROOT, PLUGIN, DEBUG])
    parser.add_argument("--out", required=True, metavar="DIR", help="result folder")
    parser.add_argument("--threshold", metavar="POLICY", help="cut the stored sweeps by another policy (exact protocol)")
    parser.add_argument(
        "--figures", nargs="+", metavar="NAME", help="these figures alone, or none (default: all that can be drawn)"
    )
    parser.add_argument(
        "--images", nargs="+", default=(), metavar="ID", help="those to show (default: where methods differ most)"
    )
    parser.set_defaults(command=report)


def report(args):
    check_protocol(args.protocol)
    if args.threshold:
        check_sweep_protocol(args.protocol)
    load_plugins(args.plugin)
    figures = None
    if args.figures != ["none"]:
        from reports.figures.write import figure_names

        figures = dict(names=figure_names(args.figures), images=args.images, data_root=args.data_root)
    failed = write_tables(args.out, args.protocol, args.threshold, figures)
    for row in failed:
        print(f"failed: {row.method} on {row.dataset}: {row.reason}", file=sys.stderr)
    return 1 if failed else 0


def check_protocol(protocol):
    """Raise UsageError for a protocol that there is not."""
    from engine.metrics import PROTOCOLS
    from zoo.lookup import unknown

    if protocol not in PROTOCOLS:
        raise UsageError(unknown("protocol", protocol, PROTOCOLS))


def check_sweep_protocol(protocol):
    """Raise UsageError for a protocol that a cut of the sweep cannot have."""
    if protocol != "exact":
        raise UsageError(f"--protocol {protocol}: a cut that is chosen after scoring has the exact protocol alone")


def write_tables(out, protocol, threshold=None, figures=None):
    """Write the tables of all rows of a result folder, and figures, and print their paths.

    Arguments:
        out: The folder.
        protocol: Whose definition of the metrics.
        threshold: Policy to cut the stored sweeps by, or None for the rows as they are.
        figures: Options of `reports.figures.write.write_figures`, or None for no figures.

    Returns:
        list[Row]: Those that could not be cut.

    Raises:
        UsageError: The folder holds no results.
    """
    from engine.rows import recut_rows
    from reports.report import write_report
    from results.store import ResultStore, write_atomic
    from zoo import build_threshold

    store = ResultStore(out)
    rows = stored = store.rows()
    if not rows:
        raise UsageError(f"no results in {out}; run the benchmark with --out {out} first")
    if threshold:
        rows = recut_rows(rows, store, build_threshold(threshold))
    for path in write_report(rows, store.out / "report", write_atomic, protocol=protocol):
        print(path)
    if figures is not None:
        from reports.figures.write import write_figures

        tell = partial(print, file=sys.stderr)
        for figure in write_figures(rows, store, write_atomic, protocol=protocol, tell=tell, **figures):
            print(*figure.files.values(), sep="\n")
    return [row for row, old in zip(rows, stored, strict=True) if row.status is not old.status]
