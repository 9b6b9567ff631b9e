"""Convert a published checkpoint."""

import argparse
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import DATA_ROOT, DEBUG, Subparsers
from irsam_zoo.zoo.schedules import SCHEDULES
from irsam_zoo.zoo.terminal import say, warn


class Help(argparse.Action):
    """The help with the names of all networks, which are imported where it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **options)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> NoReturn:
        from irsam_zoo.zoo.weights.conversion import network_methods

        parser.epilog = f"methods: {', '.join(network_methods())}"
        parser.print_help()
        parser.exit()


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("convert", parents=[DATA_ROOT, DEBUG], add_help=False)
    parser.add_argument("-h", "--help", action=Help, help="show this help message and exit")
    parser.add_argument("method", metavar="METHOD", help=f"name of a network ({PROGRAM} list), or configuration file")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="the published checkpoint, or each of its parts")
    parser.add_argument("target", metavar="TARGET", help="a .safetensors file")
    parser.add_argument("--key", metavar="NAME", help="take the weights under this name in the file, such as ema")
    parser.add_argument("--int8", action="store_true", help="store weights as 8-bit integers: a quarter to a third of the size")
    parser.add_argument(
        "--trained-on",
        action="append",
        default=[],
        metavar="SET/SPLIT",
        help="training list that the weights have seen, as in nuaa-sirst/irsam; may be given several times",
    )
    parser.set_defaults(command=convert)


def convert(args: Namespace) -> int:
    from irsam_zoo.training.provenance import trained_on
    from irsam_zoo.zoo.weights.conversion import convert_file

    provenance = trained_on(args.trained_on, args.data_root)
    words = ["--key", args.key] if args.key is not None else []
    words += ["--int8"] * args.int8
    words += [word for place in args.trained_on for word in ("--trained-on", place)]
    words += ["--data-root", args.data_root] if args.data_root is not None else []
    given = args.method, args.sources, args.target
    done = convert_file(*given, key=args.key, int8=args.int8, provenance=provenance, words=words)
    for note in done.notes:
        warn(note)
    say(f"{done.target}: {done.tensors} tensors, {done.renamed} of them renamed, sha256 {done.sha256}")
    if Path(args.target).stem.rpartition("_")[2] in (*SCHEDULES, Path(args.target).stem):
        warn(f"a run finds it by the name {done.method}_<data set>.safetensors")
    return 0
