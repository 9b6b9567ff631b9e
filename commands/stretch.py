"""A stretch of a training queue on another machine: pack a folder, run it there, collect what it leaves."""

from argparse import Namespace
from typing import Any

from irsam_zoo import IN_CHECKOUT, ROOT
from irsam_zoo.commands.parser import CHECKPOINTS, DATA_ROOT, DEBUG, DEVICE, SPLIT, Subparsers
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import warn


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    steps = commands.add_parser("stretch", parents=[DEBUG]).add_subparsers(required=True, metavar="pack|run|collect")
    step = steps.add_parser("pack", parents=[DATA_ROOT, SPLIT, CHECKPOINTS, DEVICE, DEBUG])
    step.add_argument("folder", metavar="DIR", help="a new folder: code, training images, what was begun, and the queue")
    step.add_argument("--queue", required=True, metavar="FILE", help="queue of trainings; those with weights are left out")
    step.add_argument("--work", metavar="DIR", help="folder of begun trainings (default: work_dirs/queue)")
    step.add_argument("--without-data", action="store_true", help="the other machine has the data sets")
    step.add_argument("--half", action="store_true", help="store the weights as float16 instead of float32")
    step.set_defaults(command=pack)
    step = steps.add_parser("run", parents=[DATA_ROOT, DEVICE, DEBUG])
    step.add_argument("out", metavar="OUT", help="folder for what is to be carried home")
    step.add_argument("--time-limit", metavar="TIME", help="save and end after this time")
    step.set_defaults(command=run)
    step = steps.add_parser("collect", parents=[CHECKPOINTS, DEBUG])
    step.add_argument("out", metavar="OUT", help="the folder that a stretch wrote to")
    step.add_argument("--work", metavar="DIR", help="folder of begun trainings (default: work_dirs/queue)")
    step.set_defaults(command=collect)


def pack(args: Namespace) -> int:
    from irsam_zoo.training.queue import read_queue
    from irsam_zoo.training.stretch import pack
    from irsam_zoo.training.train import TrainOptions

    if not IN_CHECKOUT:
        raise UsageError("what is packed is a checkout, and this is an installed package; clone the project and pack there")
    first = read_queue(args.queue)[0]
    device = args.device if args.device != "auto" else "cuda"
    chosen = dict(data_root=args.data_root, split=args.split, checkpoints=args.checkpoints, half=args.half, out=args.work)
    options = TrainOptions(method=first.network, dataset=first.dataset, device=device, **chosen)
    pack(args.folder, args.queue, options, with_data=not args.without_data)
    return 0


def run(args: Namespace) -> int:
    from irsam_zoo.runtime.durations import parse_duration
    from irsam_zoo.runtime.hardware import usable_device
    from irsam_zoo.training.stretch import run_stretch

    limit = args.time_limit and parse_duration(args.time_limit)
    chosen: dict[str, Any] = dict(device=usable_device(args.device), time_limit=limit, data_root=args.data_root)
    return 1 if run_stretch(ROOT, args.out, report=warn, **chosen) else 0


def collect(args: Namespace) -> int:
    from irsam_zoo.training.stretch import collect

    faults = collect(args.out, checkpoints=args.checkpoints, work=args.work)
    for fault in faults:
        warn(f"error: {fault}")
    return 1 if faults else 0
