"""Run methods on data sets."""

import argparse
import sys
from argparse import Action, Namespace
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import DEBUG, FLAGS, PROTOCOL, ShowVersion, Subparsers, run_option
from irsam_zoo.commands.report import check_protocol, check_sweep_protocol, write_reports
from irsam_zoo.results.options import RunOptions
from irsam_zoo.zoo.errors import FAILURES, UsageError, one_line
from irsam_zoo.zoo.lookup import names_file
from irsam_zoo.zoo.terminal import say, warn

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
  test --plugin FILE                       whether methods of your own do what every method has to do
  completion bash|zsh|tcsh                 a script by which the shell completes all this

Each command has its own --help.
"""
OF_THE_MACHINE = ("out", "jobs", "dask", "fresh", "time_limit")
LONGEST = 40  # letters of a wrong value that are shown
MOST_A_CORE = 8  # workers; more of them only take memory from each other


def add_parser(commands: Subparsers) -> None:
    """Add the command, which is also that of a command line without one."""
    parser = commands.add_parser(
        "run",
        prog=PROGRAM,
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
    parser.add_argument(
        "--trust",
        action="store_true",
        help="let the data of --config and --from-manifest name code to run: plug-ins, .py files",
    )
    parser.add_argument(
        "--version",
        action=ShowVersion,
        nargs=0,
        default=argparse.SUPPRESS,
        help="tell version, commit, torch and device, and exit",
    )
    parser.set_defaults(command=run)


def run(args: Namespace) -> int:
    from irsam_zoo.datasets import found_datasets
    from irsam_zoo.engine.benchmark import run as run_cells
    from irsam_zoo.engine.manifest import differences, read_run
    from irsam_zoo.reports.listing import row_line
    from irsam_zoo.reports.report import ReportOptions, tables
    from irsam_zoo.results.row import Status
    from irsam_zoo.results.store import ResultStore
    from irsam_zoo.runtime.interrupts import TimeIsOver
    from irsam_zoo.zoo import build_threshold, list_methods
    from irsam_zoo.zoo.plugins import load_plugins
    from irsam_zoo.zoo.weights.folders import places

    if not (args.all or args.methods or args.datasets):
        raise UsageError(f"nothing to run: say --all, or name --methods or --datasets; see {PROGRAM} --help")
    check_protocol(args.protocol)
    unloaded = load_plugins(args.plugin)
    if args.threshold and build_threshold(args.threshold).oracle:
        check_sweep_protocol(args.protocol)
    if not Path(args.checkpoints).is_dir() and args.checkpoints != RunOptions.checkpoints:
        if args.train == "none":
            raise UsageError(f"no folder {args.checkpoints}; name the one that holds weights by --checkpoints, or leave it out")
        warn(f"no folder {args.checkpoints}: networks have weights only if they are trained now")
    _check_numbers(args)
    datasets = args.datasets or found_datasets(args.data_root)
    if not datasets:
        warn("no data set found: running on the synthetic one (--data-root names a folder of data sets)")
        datasets = ["synthetic"]
    chosen: dict[str, Any] = dict(
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
            say(f"differs: {line}")
        equal = sum(before.get("rows", {}).get(name) == digest for name, digest in after["rows"].items())
        say(f"{equal} of {len(after['rows'])} rows are equal to those of {args.from_manifest}")
    failed = [row for row in rows if row.status in (Status.FAILED, Status.INCOMPLETE)]
    try:
        write_reports(args.out, ReportOptions(protocol=args.protocol), parts=[tables])
    finally:
        for row in failed:
            warn(f"{row.status}: {row.method} on {row.dataset}: {row.reason}")
        if lacking := sorted({row.method for row in rows if row.status == Status.NO_CHECKPOINT}):
            warn(f"no weights of {', '.join(lacking)} in {places(args.checkpoints)}")
        for reason in unloaded.values():
            warn(f"failed: {reason}")
    return 1 if failed or unloaded else 0


def _check_numbers(args: Namespace) -> None:
    """Raise UsageError where an option is out of range."""
    from irsam_zoo.runtime.executors import available_cores

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


def manifest_values(path: str | Path, actions: Mapping[str, Action], out: str | Path, trust: bool) -> dict[str, Any]:
    """The options of the last run of a ``manifest.json``, but for what is of its machine; as `data_values`.

    Arguments:
        out: The result folder of this run, which must not be that of the manifest.
    """
    from irsam_zoo.engine.manifest import read_run
    from irsam_zoo.zoo.lookup import unknown

    path, known = Path(path), {field.name: FLAGS.get(field.name, field.name).strip("-") for field in fields(RunOptions)}
    config = read_run(path)["config"]
    if Path(out).resolve() == path.resolve().parent:
        raise UsageError(f"--from-manifest {path}: a repetition is to run anew; name another folder by --out")
    for name in config:
        if name not in known:
            raise UsageError(unknown(f"option in {path},", name, list(known)))
    entries = {known[name]: value for name, value in config.items() if name not in OF_THE_MACHINE and value != []}
    return data_values(path, entries, actions, trust)


def config_values(path: str | Path, actions: Mapping[str, Action], trust: bool) -> dict[str, Any]:
    """The entries of a configuration file, as `data_values`; one in Python is code by itself, and needs no trust."""
    from irsam_zoo.zoo.config_files import read_config

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no configuration file {path}")
    try:
        entries = read_config(path)
    except FAILURES as error:
        raise UsageError(f"{path} is no configuration file: {one_line(error)}") from None
    entries = {key: value for key, value in entries.items() if key not in ("custom_imports", "default_scope")}  # mmengine's
    return data_values(path, entries, actions, trust or path.suffix == ".py")


def data_values(path: Path, entries: Mapping[str, Any], actions: Mapping[str, Action], trust: bool) -> dict[str, Any]:
    """What a file says of a command's arguments, as the command line would have given it; no value becomes a word of it.

    Arguments:
        path: The file.
        entries (dict): By name of an argument.
        actions: argparse's, by name, of those that a file may set.
        trust: Whether it may name code: a plug-in, a method's configuration file, or a scheduler, whose workers send objects.

    Returns:
        dict: By name of an argument; those that are None or False in the file are left to their defaults.

    Raises:
        UsageError: It names another argument, a value is of another kind, or it names code and is not trusted.
    """
    from irsam_zoo.zoo.lookup import unknown

    values = {}
    for key, value in entries.items():
        if key not in actions:
            raise UsageError(unknown(f"option in {path},", key, list(actions)))
        if value is not None and value is not False:
            values[key] = _typed(actions[key], value, f"{path}: argument {actions[key].option_strings[0]}:")
    code = [
        f"{name} {text}" for name in ("plugin", "dask", "methods") for text in _texts(values.get(name)) if _runs(name, text)
    ]
    if code and not trust:
        raise UsageError(f"{path} names code that would run: {', '.join(code)}; read that code, then add --trust")
    return values


def _texts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _runs(name: str, text: str) -> bool:
    return name != "methods" or names_file(text) or "/" in text or "\\" in text


def _typed(action: Action, value: Any, where: str) -> Any:
    """A value as `action` would have it of the command line; UsageError where it is of another kind."""
    if value is True and (action.nargs == 0 or action.const is not None):
        return action.const
    if action.nargs == "+":
        values = value if isinstance(value, (list, tuple)) else [value]
        return [_scalar(action, inner, where) for inner in values]
    return _scalar(action, value, where)


def _scalar(action: Action, value: Any, where: str) -> Any:
    if action.nargs == 0 or isinstance(value, bool) or not isinstance(value, (str, int, float, Path)):
        kind = "true or false" if action.nargs == 0 else "text or a number"
        raise UsageError(f"{where} {kind} belongs there, not {type(value).__name__}")
    convert: Any = action.type or str
    try:
        typed = convert(str(value))
    except ValueError:
        raise UsageError(f"{where} invalid {convert.__name__} value: {str(value)[:LONGEST]!r}") from None
    if action.choices and typed not in action.choices:
        raise UsageError(f"{where} {str(value)[:LONGEST]!r} is none of {', '.join(action.choices)}")
    return typed
