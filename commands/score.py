"""Score a folder of predicted masks."""

import sys

from commands.parser import DATA_ROOT, DATASET, DEBUG, SPLIT


def add_parser(commands):
    """Add the command."""
    parser = commands.add_parser("score", parents=[DATASET, DATA_ROOT, SPLIT, DEBUG])
    parser.add_argument("folder", metavar="DIR", help="holds a mask for every test image, such as <id>.png")
    parser.set_defaults(command=score)


def score(args):
    from datasets import build_dataset
    from engine.folder_score import score_folder
    from reports.listing import metrics_listing

    dataset = build_dataset(args.dataset, root=args.data_root, split=args.split, subset="test")
    row = score_folder(args.folder, dataset)
    for note in row.data_notes:
        print(f"{dataset.name}: {note}", file=sys.stderr)
    print(metrics_listing(row, dataset))
    return 0
