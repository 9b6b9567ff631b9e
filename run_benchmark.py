#!/usr/bin/env python
"""The benchmark's command line. `python run_benchmark.py --help` tells what it does."""

import argparse
import sys
from pathlib import Path

from engine.memory import keep_freed_memory
from zoo import UsageError, ZooError

EXAMPLES = """commands:
  --all | --methods ... | --datasets ...   run the benchmark and write its tables (options below)
  list                                     methods and data sets, and what was found of them
  data --check                             look for faults in the data sets
  train METHOD --dataset D                 train a deep method; the run command then finds its weights
  score DIR --dataset D                    metrics of a folder of predicted masks
  report --out DIR                         tables again from stored results
  convert METHOD SOURCE TARGET             a published checkpoint to the suite's own format
  weights [--check]                        published weights that the suite knows, and whether they give what is stated

Each command has its own --help.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        raise UsageError(f"{message}; see {self.prog} --help")


def main(arguments=None):
    """Run one command; returns the exit status: 0 done, 1 something failed, 2 wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    command = COMMANDS.get(arguments[0]) if arguments else None
    keep_freed_memory()
    try:
        return command(arguments[1:]) if command else run(arguments)
    except (UsageError, ZooError) as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        if debug or error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        same = "the same command" + " without --fresh" * ("--fresh" in arguments)
        print(f"stopped; {same} goes on from here", file=sys.stderr)
        return 130


def run(arguments):
    """Run methods on data sets."""
    from datasets import found_datasets
    from engine.benchmark import RunOptions
    from engine.benchmark import run as run_cells
    from zoo import build_threshold, list_methods, load_plugin
    from zoo.checkpoints import SCHEDULES

    parser = Parser(prog="run_benchmark.py", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every method on every data set found, or on `synthetic` if none is")
    parser.add_argument("--methods", nargs="+", metavar="M", help="names, or configuration files")
    parser.add_argument("--datasets", nargs="+", metavar="D", help="names, or folders with images/, masks/ and lists")
    parser.add_argument("--data-root", metavar="DIR", help="folder of the data sets (default: $IRSAM_ZOO_DATA, else ./data)")
    parser.add_argument("--split", default="irsam", help="irsam (default), dnanet, idx320 (NUAA-SIRST), or a folder with lists")
    parser.add_argument(
        "--protocol", default="exact", help="whose metrics the tables show: exact (default), irsam, dnanet, basicirstd"
    )
    parser.add_argument(
        "--metric-size",
        default="native",
        choices=("native", "input"),
        help="score networks at the size to which they resize images, as the literature mostly does (default: images' own)",
    )
    parser.add_argument("--threshold", metavar="POLICY", help="such as 'minmax(0.5)', for all (default: each method's own)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N images of each test list")
    parser.add_argument("--out", default="work_dirs/benchmark", metavar="DIR", help="result folder (default: %(default)s)")
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes for classical methods (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="use the workers of this Dask scheduler instead")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: cuda where there is one")
    parser.add_argument("--checkpoints", default="checkpoints", metavar="DIR", help="folder of weights (default: %(default)s)")
    parser.add_argument(
        "--train",
        choices=("none", *reversed(SCHEDULES)),
        help="train networks that have no weights so well (default: smoke on `synthetic`, none elsewhere)",
    )
    parser.add_argument("--plugin", nargs="+", default=[], metavar="FILE", help="Python files that register methods")
    parser.add_argument("--config", metavar="FILE", help="defaults for these options from a configuration file")
    parser.add_argument("--fresh", action="store_true", help="score again what is already stored")
    parser.add_argument("--allow-overlap", action="store_true", help="score weights on their own training images, and mark it")
    parser.add_argument("--save-predictions", action="store_true", help="write the predicted masks")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    args = parser.parse_args(arguments)
    if args.config:
        args = parser.parse_args([*_config_arguments(args.config, vars(args)), *arguments])
    if not (args.all or args.methods or args.datasets):
        raise UsageError("nothing to run: say --all, or name --methods or --datasets; see run_benchmark.py --help")
    _check_protocol(args.protocol)
    if args.threshold and build_threshold(args.threshold).oracle:
        _check_sweep_protocol(args.protocol)
    if not Path(args.checkpoints).is_dir() and args.checkpoints != parser.get_default("checkpoints"):
        print(f"no folder {args.checkpoints}: networks have weights only if they are trained now", file=sys.stderr)
    for name in ("limit", "jobs"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name} must be at least 1")
    for plugin in args.plugin:
        load_plugin(plugin)
    datasets = args.datasets or found_datasets(args.data_root)
    if not datasets:
        print("no data set found: running on the synthetic one (--data-root names a folder of data sets)", file=sys.stderr)
        datasets = ["synthetic"]
    options = RunOptions(
        methods=tuple(args.methods or list_methods()),
        datasets=tuple(datasets),
        plugins=tuple(str(Path(plugin).resolve()) for plugin in args.plugin),
        device=_device(args.device),
        **{name: getattr(args, name) for name in RUN_OPTIONS},
    )
    rows = run_cells(options)
    _write_report(args.out, args.protocol)
    failed = [row for row in rows if row["status"] == "failed"]
    for row in failed:
        print(f"failed: {row['method']} on {row['dataset']}: {row['reason']}", file=sys.stderr)
    return 1 if failed else 0


RUN_OPTIONS = ("out", "data_root", "split", "threshold", "metric_size", "limit", "jobs", "dask", "checkpoints", "fresh",
               "allow_overlap", "save_predictions", "train")  # fmt: skip


def list_all(arguments):
    """List methods and data sets."""
    from reports.listing import dataset_listing, method_listing
    from zoo import load_plugin

    parser = Parser(prog="run_benchmark.py list")
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--checkpoints", default="checkpoints", metavar="DIR")
    parser.add_argument("--plugin", nargs="+", default=[], metavar="FILE")
    args = parser.parse_args(arguments)
    for plugin in args.plugin:
        load_plugin(plugin)
    print(method_listing(args.checkpoints))
    print(dataset_listing(args.data_root))
    return 0


def data(arguments):
    """Check the data sets."""
    from datasets.doctor import check, format_report

    parser = Parser(prog="run_benchmark.py data")
    parser.add_argument("--check", action="store_true", required=True, help="look at every file")
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--datasets", nargs="+", metavar="D")
    args = parser.parse_args(arguments)
    report = check(args.data_root, args.datasets)
    print(format_report(report))
    return 0 if report.ok else 1


def train(arguments):
    """Train a deep method."""
    from mmengine.config import DictAction

    from engine.training.train import TrainOptions
    from engine.training.train import train as train_method
    from zoo import load_plugin
    from zoo.checkpoints import SCHEDULES

    parser = Parser(prog="run_benchmark.py train", epilog="An interrupted run goes on from its last saved state.")
    parser.add_argument("method", metavar="METHOD", help="name, or configuration file")
    parser.add_argument("--dataset", required=True, metavar="D", help="name, or folder with images/, masks/ and lists")
    parser.add_argument(
        "--schedule", default="short", choices=SCHEDULES, help="paper (as published), short (a tenth), smoke (a minute)"
    )
    parser.add_argument("--data-root", metavar="DIR", help="folder of the data sets (default: $IRSAM_ZOO_DATA, else ./data)")
    parser.add_argument("--split", default="irsam", help="irsam (default), dnanet, idx320 (NUAA-SIRST), or a folder with lists")
    parser.add_argument(
        "--out", metavar="DIR", help="work folder for the log and saved states (default: under work_dirs/train)"
    )
    parser.add_argument(
        "--checkpoints", default="checkpoints", metavar="DIR", help="folder for the weights (default: %(default)s)"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: cuda where there is one")
    parser.add_argument("--seed", type=int, metavar="N", help="default: the recipe's, else 0")
    parser.add_argument(
        "--select",
        choices=("last", "val"),
        help="last weights (default), or the best on a tenth of the training list, held out",
    )
    parser.add_argument(
        "--launcher", default="none", choices=("none", "pytorch", "slurm"), help="several processes, by torchrun or srun"
    )
    parser.add_argument("--amp", action="store_true", help="half precision (schedule short does so on a GPU anyway)")
    parser.add_argument("--init", metavar="FILE", help="start from these weights of the method instead of random ones")
    parser.add_argument(
        "--recipe", nargs="+", action=DictAction, metavar="KEY=VALUE", help="change the recipe: epochs=20 optimizer.lr=0.01"
    )
    parser.add_argument("--half", action="store_true", help="store the weights as float16 instead of float32")
    parser.add_argument("--plugin", nargs="+", default=[], metavar="FILE", help="Python files that register methods")
    args = vars(parser.parse_args(arguments))
    for plugin in args.pop("plugin"):
        load_plugin(plugin)
    if args["seed"] is not None and args["seed"] < 0:
        raise UsageError("--seed must be at least 0")
    path = train_method(TrainOptions(**args | {"device": _device(args["device"])}))
    if path is not None:
        print(path)
    return 0


def score(arguments):
    """Score a folder of predicted masks."""
    from datasets import build_dataset
    from engine.folder_score import score_folder
    from reports.listing import metrics_listing

    parser = Parser(prog="run_benchmark.py score")
    parser.add_argument("folder", metavar="DIR", help="holds <id>.png for every test image")
    parser.add_argument("--dataset", required=True, metavar="D")
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--split", default="irsam")
    args = parser.parse_args(arguments)
    dataset = build_dataset(args.dataset, root=args.data_root, split=args.split, subset="test")
    print(metrics_listing(score_folder(args.folder, dataset), dataset))
    return 0


def report(arguments):
    """Write the tables of a result folder again."""
    parser = Parser(prog="run_benchmark.py report")
    parser.add_argument("--out", required=True, metavar="DIR", help="result folder")
    parser.add_argument("--protocol", default="exact")
    parser.add_argument("--threshold", metavar="POLICY", help="cut the stored sweeps by another policy (exact protocol)")
    args = parser.parse_args(arguments)
    _check_protocol(args.protocol)
    _write_report(args.out, args.protocol, args.threshold)
    return 0


def convert(arguments):
    """Convert a published checkpoint."""
    from zoo.checkpoints import SCHEDULES, convert_file

    parser = Parser(prog="run_benchmark.py convert")
    parser.add_argument("method", metavar="METHOD")
    parser.add_argument("source", metavar="SOURCE", help="the published checkpoint")
    parser.add_argument("target", metavar="TARGET", help="a .safetensors file")
    args = parser.parse_args(arguments)
    done = convert_file(args.method, args.source, args.target)
    print(f"{done.target}: {done.tensors} tensors, {done.renamed} of them renamed, sha256 {done.sha256}")
    if Path(args.target).stem.rpartition("_")[2] in (*SCHEDULES, Path(args.target).stem):
        print(f"a run finds it by the name {args.method}_<data set>.safetensors", file=sys.stderr)
    return 0


def weights(arguments):
    """List or check the published weights that the suite knows."""
    from engine.known_check import check_known
    from reports.weights import check_listing, weights_listing
    from zoo.known_weights import catalogue, find_known
    from zoo.registry import unknown

    parser = Parser(prog="run_benchmark.py weights")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--check", action="store_true", help="score what is here, and compare with what is stated")
    parser.add_argument("--checkpoints", default="checkpoints", metavar="DIR", help="folder to search (default: %(default)s)")
    parser.add_argument("--data-root", metavar="DIR", help="folder of the data sets (default: $IRSAM_ZOO_DATA, else ./data)")
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one a core)")
    args = parser.parse_args(arguments)
    for name in args.names:
        if name not in catalogue():
            raise UsageError(unknown("weights", name, list(catalogue())))
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    entries = [catalogue()[name] for name in args.names or catalogue()]
    found = find_known(args.checkpoints)
    if not args.check:
        print(weights_listing(entries, found))
        return 0
    here = [(known, found[known.name]) for known in entries if known.name in found]
    if not here:
        raise UsageError(f"none of these weights is in {args.checkpoints}; `run_benchmark.py weights` says where to get them")
    checks = check_known(here, args.data_root, args.jobs, report=lambda line: print(line, file=sys.stderr))
    print(check_listing(checks))
    return 1 if any(check.failed for check in checks) else 0


COMMANDS = {"list": list_all, "data": data, "train": train, "score": score, "report": report, "convert": convert,
            "weights": weights}  # fmt: skip


def _write_report(out, protocol, threshold=None):
    from engine.rows import recut_rows
    from engine.store import ResultStore, write_atomic
    from reports.report import write_report
    from zoo import build_threshold

    store = ResultStore(out)
    rows = store.rows()
    if not rows:
        raise UsageError(f"no results in {out}; run the benchmark with --out {out} first")
    if threshold:
        rows = recut_rows(rows, store, build_threshold(threshold))
    if any(row.get("from_sweep") for row in rows):
        _check_sweep_protocol(protocol)
    for path in write_report(rows, store.out / "report", write_atomic, protocol=protocol):
        print(path)


def _check_protocol(protocol):
    from engine.metrics import PROTOCOLS
    from zoo.registry import unknown

    if protocol not in PROTOCOLS:
        raise UsageError(unknown("protocol", protocol, PROTOCOLS))


def _check_sweep_protocol(protocol):
    if protocol != "exact":
        raise UsageError(f"--protocol {protocol}: a cut that is chosen after scoring has the exact protocol alone")


def _config_arguments(path, known):
    """A configuration file's entries as command-line arguments."""
    from mmengine.config import Config

    from zoo.registry import unknown

    if not Path(path).is_file():
        raise UsageError(f"no configuration file {path}")
    try:
        entries = Config.fromfile(path).to_dict()
    except Exception as error:
        raise UsageError(f"{path} is no configuration file: {' '.join(str(error).split())}") from None
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


def _device(name):
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device cuda: this torch sees no CUDA device; use --device cpu")
    return name if name != "auto" else "cuda" if available else "cpu"


if __name__ == "__main__":
    sys.exit(main())
