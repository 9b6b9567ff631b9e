"""Run methods on images of one's own."""

from argparse import Namespace
from pathlib import Path

from irsam_zoo import PROGRAM
from irsam_zoo.commands.parser import CHECKPOINTS, DEBUG, DEVICE, PLUGIN, Subparsers, load_plugins, run_option
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.terminal import say, warn


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "predict",
        usage=f"{PROGRAM} predict METHOD PATH [PATH ...] [options]\n"
        f"       {PROGRAM} predict PATH [PATH ...] --methods METHOD [METHOD ...] [options]",
        parents=[CHECKPOINTS, DEVICE, PLUGIN, run_option("threshold"), DEBUG],
    )
    parser.add_argument("names", nargs="*", metavar="METHOD PATH", help="a method, and images, folders of them, or videos")
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="several methods; what is named before are then paths")
    parser.add_argument(
        "--out", default="work_dirs/predict", metavar="DIR", help="folder of the predictions (default: %(default)s)"
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="weights of the network (default: those of a joined data set)")
    parser.add_argument("--sequence", action="store_true", help="images are frames of a sequence, as those of a video are")
    parser.set_defaults(command=predict)


def predict(args: Namespace) -> int:
    from irsam_zoo.engine.frames import open_sources
    from irsam_zoo.engine.predict import open_methods, predict_source
    from irsam_zoo.reports.predictions import PredictionWriter
    from irsam_zoo.results.record import ImageFailure
    from irsam_zoo.runtime.hardware import usable_device
    from irsam_zoo.runtime.progress import Progress

    methods, paths = methods_and_paths(args.names, args.methods)
    load_plugins(args.plugin)
    options = dict(checkpoints=args.checkpoints, checkpoint=args.checkpoint, threshold=args.threshold)
    detectors = open_methods(methods, **options, device=usable_device(args.device))
    sources = open_sources(paths, args.sequence)
    writer, failed = PredictionWriter(args.out, detectors), 0
    with Progress(str) as progress:
        for source in sources:
            if source.text:
                warn(f"{source.name}: {source.text}")
            with progress.cell(", ".join(detectors), source.name, source.number) as on_image:
                for found in predict_source(detectors, source):
                    if isinstance(found, ImageFailure):
                        warn(f"failed: {found.id}: {found.error}")
                        failed += 1
                    else:
                        writer.add(*found)
                        on_image()
            for line in source.told:
                warn(f"{source.name}: {line}")
    writer.close()
    for name, images in writer.found.items():
        say(f"{Path(args.out, name)}: {sum(len(image.targets) for image in images)} targets in {len(images)} images")
    return 1 if failed else 0


def methods_and_paths(names: list[str], methods: list[str] | None) -> tuple[list[str], list[str]]:
    """The methods and the paths of a command line, of which the first name is the method unless methods are named apart.

    Raises:
        UsageError: One of both is missing.
    """
    if methods is None:
        methods, names = names[:1], names[1:]
    if not names or not methods:
        raise UsageError("predict needs a method and a path: predict METHOD PATH..., or predict PATH... --methods A B")
    return methods, names
