"""Train a deep method."""

import argparse

from commands.parser import CHECKPOINTS, DATA_ROOT, DATASET, DEBUG, DEVICE, PLUGIN, SPLIT, load_plugins
from zoo.errors import UsageError
from zoo.schedules import SCHEDULES

OWN = ("command", "debug", "plugin")  # arguments that are no option of a training


class RecipeChanges(argparse.Action):
    """mmengine's ``KEY=VALUE`` arguments, which are imported where there is one."""

    def __call__(self, parser, namespace, values, option_string=None):
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest, nargs="+")(parser, namespace, values, option_string)


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser(
        "train",
        parents=[DATASET, DATA_ROOT, SPLIT, CHECKPOINTS, DEVICE, PLUGIN, DEBUG],
        epilog="An interrupted run goes on from its last saved state.",
    )
    parser.add_argument("method", metavar="METHOD", help="name, or configuration file")
    parser.add_argument(
        "--schedule", default="short", choices=SCHEDULES, help="paper (as published), short (a tenth), smoke (a minute)"
    )
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
    parser.add_argument("--amp", action="store_true", help="half precision (schedule short does so on a GPU anyway)")
    parser.add_argument("--init", metavar="FILE", help="start from these weights of the method instead of random ones")
    parser.add_argument(
        "--recipe", nargs="+", action=RecipeChanges, metavar="KEY=VALUE", help="change the recipe: epochs=20 optimizer.lr=0.01"
    )
    parser.add_argument("--half", action="store_true", help="store the weights as float16 instead of float32")
    parser.set_defaults(command=train)


def train(args):
    from engine.hardware import usable_device
    from engine.training.train import TrainOptions
    from engine.training.train import train as train_method
    from results.store import check_name
    from zoo.registry import method_config

    load_plugins(args.plugin)
    check_name("method", method_config(args.method)[0])
    if args.seed is not None and args.seed < 0:
        raise UsageError("--seed must be at least 0")
    options = {name: value for name, value in vars(args).items() if name not in OWN}
    path = train_method(TrainOptions(**options | {"device": usable_device(args.device)}))
    if path is not None:
        print(path)
    return 0
