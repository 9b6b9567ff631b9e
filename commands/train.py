"""Train deep methods."""

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import CHECKPOINTS, DATA_ROOT, DEBUG, DEVICE, PLUGIN, SPLIT, Subparsers, load_plugins
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.schedules import SCHEDULES
from irsam_zoo.zoo.terminal import say, warn

if TYPE_CHECKING:
    from irsam_zoo.training.train import TrainOptions

OWN = ("command", "debug", "plugin", "methods", "all", "jobs", "queue")  # arguments that are no option of a training


class RecipeChanges(argparse.Action):
    """mmengine's ``KEY=VALUE`` arguments, which are imported where there is one."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest, nargs="+")(parser, namespace, values, option_string)  # pyright: ignore[reportArgumentType]


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "train",
        parents=[DATA_ROOT, SPLIT, CHECKPOINTS, DEVICE, PLUGIN, DEBUG],
        epilog="An interrupted run goes on from its last saved state.",
    )
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="names, or configuration files")
    parser.add_argument("--dataset", metavar="D", help="name, or folder with images/, masks/ and lists; not with --queue")
    parser.add_argument(
        "--queue",
        metavar="FILE",
        help="train what stands there, line by line by schedule budget: network data-set seconds [seed]",
    )
    parser.add_argument("--all", action="store_true", help="every network that has no such weights yet")
    parser.add_argument(
        "--schedule",
        default="short",
        choices=SCHEDULES,
        help="paper (as published), budget (equal processor time for all), short (a tenth), smoke (a minute)",
    )
    parser.add_argument(
        "--budget", default="2h", metavar="TIME", help="processor time of --schedule budget (default: %(default)s)"
    )
    parser.add_argument("--time-limit", metavar="TIME", help="save and end after this time; the same command goes on later")
    parser.add_argument("--jobs", type=int, metavar="N", help="networks at a time on a CPU (default: one a core)")
    parser.add_argument(
        "--out", metavar="DIR", help="work folder for the log and saved states (default: under work_dirs/train)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="default: the recipe's, else 0")
    parser.add_argument(
        "--select",
        choices=("last", "val"),
        help="last weights (default), or the best on a tenth of the training list, held out",
    )
    parser.add_argument(
        "--launcher", default="none", choices=("none", "pytorch", "slurm"), help="several processes, by torchrun or srun"
    )
    parser.add_argument(
        "--sampler",
        default="auto",
        choices=("auto", "device", "loader"),
        help="who cuts the squares: the device that trains, or processes beside it (default: the device on a GPU)",
    )
    parser.add_argument("--amp", action="store_true", help="half precision (schedule short does so on a GPU anyway)")
    parser.add_argument(
        "--init",
        metavar="FILE",
        help="start from these weights of the method (of irsam: mobile_sam.pt too) instead of random ones",
    )
    parser.add_argument(
        "--recipe", nargs="+", action=RecipeChanges, metavar="KEY=VALUE", help="change the recipe: epochs=20 optimizer.lr=0.01"
    )
    parser.add_argument("--half", action="store_true", help="store the weights as float16 instead of float32")
    parser.set_defaults(command=train)


def train(args: Namespace) -> int:
    from irsam_zoo.results.store import check_name
    from irsam_zoo.runtime.executors import available_cores
    from irsam_zoo.training.campaign import networks, train_all
    from irsam_zoo.training.train import train as train_method
    from irsam_zoo.zoo.specs import method_config

    load_plugins(args.plugin)
    if args.queue is not None:
        return train_queue(args)
    if args.dataset is None:
        raise UsageError(f"the following arguments are required: --dataset; see {PROGRAM} train --help")
    methods = args.methods or (networks() if args.all else [])
    if not methods:
        raise UsageError(f"nothing to train: name methods, or say --all; see {PROGRAM} train --help")
    for method in methods:
        check_name("method", method_config(method)[0])
    options = train_options(args, methods[0])
    if len(methods) > 1:
        plugins = tuple(str(Path(plugin).resolve()) for plugin in args.plugin)
        return 1 if train_all(methods, options, plugins=plugins, jobs=args.jobs or available_cores(), report=warn) else 0
    path = train_method(options)
    if path is not None:
        say(path)
    return 0


def train_queue(args: Namespace) -> int:
    """Train the entries of ``--queue``."""
    from irsam_zoo.training.queue import read_queue, run_queue

    if args.methods or args.all or args.dataset or args.seed is not None or args.jobs or args.init or args.launcher != "none":
        raise UsageError("--queue says what to train, one after the other; leave out METHOD, --all, --dataset, --seed, --jobs, "
                         "--init and --launcher")  # fmt: skip
    load_plugins(args.plugin)
    entries = read_queue(args.queue)
    args.dataset, args.schedule = entries[0].dataset, "budget"
    plugins = tuple(str(Path(plugin).resolve()) for plugin in args.plugin)
    return 1 if run_queue(entries, train_options(args, entries[0].network), plugins=plugins, report=warn) else 0


def train_options(args: Namespace, method: str) -> "TrainOptions":
    """The `training.train.TrainOptions` of a command line."""
    from irsam_zoo.runtime.durations import parse_duration
    from irsam_zoo.runtime.hardware import usable_device
    from irsam_zoo.training.train import TrainOptions

    for name, least in (("seed", 0), ("jobs", 1)):
        if getattr(args, name) is not None and getattr(args, name) < least:
            raise UsageError(f"--{name} must be at least {least}")
    options: dict[str, Any] = {name: value for name, value in vars(args).items() if name not in OWN}
    options |= {name: parse_duration(options[name]) for name in ("budget", "time_limit") if options[name] is not None}
    options["device"] = usable_device(args.device)
    return TrainOptions(method=method, **options)
