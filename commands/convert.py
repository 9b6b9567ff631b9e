"""Convert a published checkpoint."""

import sys
from pathlib import Path

from commands.parser import DEBUG
from zoo.schedules import SCHEDULES


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser("convert", parents=[DEBUG])
    parser.add_argument("method", metavar="METHOD", help="name of a network (run_benchmark.py list), or configuration file")
    parser.add_argument("source", metavar="SOURCE", help="the published checkpoint")
    parser.add_argument("target", metavar="TARGET", help="a .safetensors file")
    parser.set_defaults(command=convert)


def convert(args):
    from zoo.checkpoints import convert_file
    from zoo.registry import method_config

    done = convert_file(args.method, args.source, args.target)
    print(f"{done.target}: {done.tensors} tensors, {done.renamed} of them renamed, sha256 {done.sha256}")
    if Path(args.target).stem.rpartition("_")[2] in (*SCHEDULES, Path(args.target).stem):
        print(f"a run finds it by the name {method_config(args.method)[0]}_<data set>.safetensors", file=sys.stderr)
    return 0
