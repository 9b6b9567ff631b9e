"""Run methods on data sets."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from commands.parser import DEBUG, FLAGS, PROTOCOL, run_option
from commands.report import check_protocol, check_sweep_protocol, write_reports
from engine.options import RunOptions
from zoo.errors import FAILURES, UsageError, one_line, visible

MOST = 1e6  # seconds or GiB
EXAMPLES = """commands:
  --all | --methods ... | --datasets ...   run the benchmark and write its tables (options below)
  list                                     methods and data sets, and what was found of them
  data --check                             look for faults in the data sets
  train METHOD --dataset D                 train a deep method; the run command then finds its weights
  predict METHOD PATH...                   targets in images, folders or videos of your own
  score DIR [--dataset D]                  predictions of another program as a row of the tables
  report --out DIR                         tables, audit and figures from stored results; --compare, --merge
  convert METHOD SOURCE TARGET             a published checkpoint to the suite's own format
  profile --methods M --size 256 512       how fast methods are, alone on this machine
  weights [--check]                        published weights that the suite knows, and whether they give what is stated

Each command has its own --help.
"""
OF_THE_MACHINE = ("out", "jobs", "dask", "fresh", "time_limit")
MOST_A_CORE = 8  # workers; more of them only take memory from each other


def add_parser(commands):
    """Add the command, which is also that of a command line without one."""
    parser = commands.add_parser(
        "run",
        prog="run_benchmark.py",
        parents=[*(run_option(field.name) for field in fields(RunOptions)), PROTOCOL, DEBUG],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--all", action="store_true", help="every method on every data set found, or on `synthetic` if none is")
    parser.add_argument(
        "--config", metavar="FILE", help="defaults for these options, from YAML, JSON or Python; Python is code and runs"
    )
    parser.add_argument(
        "--from-manifest",
        metavar="FILE",
        help="repeat the last run of a manifest.json and tell what differs",
    )
    parser.set_defaults(command=run)


def run(args):
    from datasets import found_datasets
    from engine.benchmark import run as run_cells
    from engine.interrupts import TimeIsOver
    from engine.manifest import differences, read_run
    from reports.listing import row_line
    from reports.report import ReportOptions, tables
    from results.row import Status
    from results.store import ResultStore
    from zoo import build_threshold, list_methods
    from zoo.plugins import load_plugins

    if not (args.all or args.methods or args.datasets):
        raise UsageError("nothing to run: say --all, or name --methods or --datasets; see run_benchmark.py --help")
    check_protocol(args.protocol)
    unloaded = load_plugins(args.plugin)
    if args.threshold and build_threshold(args.threshold).oracle:
        check_sweep_protocol(args.protocol)
    if not Path(args.checkpoints).is_dir() and args.checkpoints != RunOptions.checkpoints:
        if args.train == "none":
            raise UsageError(f"no folder {args.checkpoints}; name the one that holds weights by --checkpoints, or leave it out")
        print(f"no folder {args.checkpoints}: networks have weights only if they are trained now", file=sys.stderr)
    _check_numbers(args)
    datasets = args.datasets or found_datasets(args.data_root)
    if not datasets:
        print("no data set found: running on the synthetic one (--data-root names a folder of data sets)", file=sys.stderr)
        datasets = ["synthetic"]
    chosen = dict(
        methods=tuple(args.methods or list_methods()),
        datasets=tuple(datasets),
        plugins=tuple(str(Path(plugin).resolve()) for plugin in args.plugin),
    )
    chosen = {field.name: getattr(args, field.name) for field in fields(RunOptions) if field.name not in chosen} | chosen
    try:
        rows = run_cells(RunOptions(**chosen), row_line)
    except TimeIsOver:
        if any((Path(args.out) / "results").glob("*/*/*.json")):
            write_reports(args.out, ReportOptions(protocol=args.protocol), parts=[tables])
        raise
    if args.from_manifest:
        before, (*_, after) = read_run(Path(args.from_manifest)), ResultStore(args.out).manifests()
        for line in differences(before, after):
            print(f"differs: {visible(line)}")
        equal = sum(before.get("rows", {}).get(name) == digest for name, digest in after["rows"].items())
        print(f"{equal} of {len(after['rows'])} rows are equal to those of {visible(args.from_manifest)}")
    failed = [row for row in rows if row.status in (Status.FAILED, Status.INCOMPLETE)]
    try:
        write_reports(args.out, ReportOptions(protocol=args.protocol), parts=[tables])
    finally:
        for row in failed:
            print(visible(f"{row.status}: {row.method} on {row.dataset}: {row.reason}"), file=sys.stderr)
        for reason in unloaded.values():
            print(visible(f"failed: {reason}"), file=sys.stderr)
    return 1 if failed or unloaded else 0


def _check_numbers(args):
    """Raise UsageError where an option is out of range."""
    from engine.executors import available_cores

    for name in ("limit", "jobs"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name} must be at least 1")
    if args.jobs is not None and args.jobs > (most := MOST_A_CORE * available_cores()):
        raise UsageError(f"--jobs {args.jobs}: this machine has {available_cores()} cores; say {most} at most")
    for name in ("timeout", "memory_limit"):
        flag, value = f"--{name.replace('_', '-')}", getattr(args, name)
        if value is not None and not 0 < value < MOST:
            raise UsageError(f"{flag} must be a number above 0")
        if value is not None and args.dask:
            raise UsageError(f"{flag} is of local workers; give those of Dask a limit where they are started")
    if args.memory_limit is not None and not sys.platform.startswith("linux"):
        raise UsageError("--memory-limit needs Linux; leave it out")


def manifest_arguments(path, out):
    """The options of the last run of a ``manifest.json`` as command-line arguments, but for what is of its machine.

    Arguments:
        path: The file.
        out: The result folder of this run.

    Raises:
        UsageError: It cannot be read, sets an option that is unknown here, or this run would write to its folder.
    """
    from engine.manifest import read_run
    from zoo.lookup import unknown

    path, arguments = Path(path), []
    known = [field.name for field in fields(RunOptions)]
    config = read_run(path)["config"]
    if Path(out).resolve() == path.resolve().parent:
        raise UsageError(f"--from-manifest {path}: a repetition is to run anew; name another folder by --out")
    for name, value in config.items():
        if name not in known:
            raise UsageError(unknown(f"option in {path},", name, known))
        if name not in OF_THE_MACHINE and value not in (None, False, []):
            values = value if isinstance(value, list) else [] if value is True else [value]
            arguments += [FLAGS.get(name, f"--{name.replace('_', '-')}"), *map(str, values)]
    return arguments


def config_arguments(path, known):
    """A configuration file's entries as command-line arguments.

    Arguments:
        path: The file.
        known: The names of the command's arguments, which it may set.

    Raises:
        UsageError: It cannot be read, or sets another name.
    """
    from zoo.config_files import read_config
    from zoo.lookup import unknown

    if not Path(path).is_file():
        raise UsageError(f"no configuration file {path}")
    try:
        entries = read_config(path)
    except FAILURES as error:
        raise UsageError(f"{path} is no configuration file: {one_line(error)}") from None
    arguments = []
    for key, value in entries.items():
        if key in ("custom_imports", "default_scope"):  # mmengine's
            continue
        if key not in known:
            raise UsageError(unknown(f"option in {path},", key, list(known)))
        if value not in (None, False):
            values = value if isinstance(value, (list, tuple)) else [] if value is True else [value]
            arguments += [f"--{key.replace('_', '-')}", *map(str, values)]
    return arguments
