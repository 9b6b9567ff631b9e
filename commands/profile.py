"""Measure how fast methods are."""

import os
from argparse import Namespace
from pathlib import Path

from irsam_zoo.commands.parser import DEBUG, DEVICE, PLUGIN, Subparsers, load_plugins
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import show, warn

SIZES = (256, 512)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser("profile", parents=[DEVICE, PLUGIN, DEBUG])
    parser.add_argument("--methods", nargs="+", metavar="M", help="names, or configuration files (default: all)")
    parser.add_argument(
        "--size", nargs="+", type=int, default=SIZES, metavar="PX", help="sides of the square images (default: 256 512)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of numerical libraries (default: 1)")
    parser.add_argument("--out", metavar="DIR", help="also write profile.md and profile.json into this folder")
    parser.set_defaults(command=profile)


def profile(args: Namespace) -> int:
    if min(args.size) < 16 or args.threads < 1:
        raise UsageError("--size must be at least 16, and --threads at least 1")
    os.environ |= dict.fromkeys(THREADS, str(args.threads))  # read when the libraries are imported, which is below
    from irsam_zoo.engine.profile_table import profile_methods
    from irsam_zoo.engine.profiling import NOT_COUNTED
    from irsam_zoo.reports.profile import to_markdown
    from irsam_zoo.results.files import write_atomic, write_json
    from irsam_zoo.results.serialization import to_plain
    from irsam_zoo.runtime.hardware import usable_device

    load_plugins(args.plugin)
    found = []
    for line in profile_methods(args.methods, args.size, device=usable_device(args.device), threads=args.threads):
        warn(f"{line.method} at {line.size}: {line.reason or (line.speed and line.speed.how)}")
        found.append(line)
    text = to_markdown(found, NOT_COUNTED)
    show(text.rstrip("\n"))
    if args.out:
        write_json(Path(args.out, "profile.json"), to_plain(found))
        write_atomic(Path(args.out, "profile.md"), text)
    return 1 if any(line.reason for line in found) else 0
