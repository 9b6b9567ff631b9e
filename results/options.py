"""The options of a run and of a scoring, each declared once: the command line makes its arguments of a run's, and manifests
keep both.
"""

from dataclasses import dataclass, field
from typing import Any

from irsam_zoo.zoo.schedules import SCHEDULES


def option(help: str, **argument: Any) -> Any:
    """A field that the command line can set; `argument` is for `argparse`, but for a default that is the field's too."""
    default = {"default": argument["default"]} if "default" in argument else {}
    return field(**default, metadata={"help": help, **argument})


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What to run and where to put it. The help of each field says what it means.

    On the command line a name's ``_`` is ``-``; `plugins` is ``--plugin`` there.
    """

    methods: tuple[str, ...] = option("names, those of published weights too, or configuration files", nargs="+", metavar="M")
    datasets: tuple[str, ...] = option("names, or folders with images/, masks/ and lists", nargs="+", metavar="D")
    data_root: str | None = option(
        "folder of the data sets (default: $IRSAM_ZOO_DATA, else ./data)", default=None, metavar="DIR"
    )
    split: str = option(
        "irsam (default), dnanet, idx320 (NUAA-SIRST), all (every image), or a folder with train.txt and test.txt",
        default="irsam",
    )
    threshold: str | None = option(
        "such as 'minmax(0.5)', for all (default: each method's own)", default=None, metavar="POLICY"
    )
    metric_size: str = option(
        "score networks at the size to which they resize images, as the literature mostly does (default: images' own)",
        default="native",
        choices=("native", "input"),
    )
    limit: int | None = option("only the first N images of each test list", default=None, type=int, metavar="N")
    out: str = option("result folder (default: %(default)s)", default="work_dirs/benchmark", metavar="DIR")
    jobs: int | None = option(
        "worker processes for classical methods (default: one a core)", default=None, type=int, metavar="N"
    )
    dask: str | None = option("use the workers of this Dask scheduler instead", default=None, metavar="ADDRESS")
    device: str = option("default: cuda where there is one", default="auto", choices=("auto", "cpu", "cuda"))
    checkpoints: str = option(
        "folder of weights (default: %(default)s, here or else beside the package)", default="checkpoints", metavar="DIR"
    )
    train: str = option(
        "train networks that have no weights so well (default: %(default)s)",
        default="none",
        choices=("none", *reversed(SCHEDULES)),
    )
    plugins: tuple[str, ...] = option("Python files that register methods", default=(), nargs="+", metavar="FILE")
    timeout: float | None = option(
        "an image that a method works on for longer fails (default: no limit; not with --dask)",
        default=None,
        type=float,
        metavar="SECONDS",
    )
    memory_limit: float | None = option(
        "memory that a worker process may take for its images, in GiB (Linux; default: no limit; not with --dask)",
        default=None,
        type=float,
        metavar="GIB",
    )
    strict: bool = option(
        "end at the first image or method that fails (default: leave it out and go on)", default=False, action="store_true"
    )
    fresh: bool = option("score again what is already stored", default=False, action="store_true")
    allow_overlap: bool = option("score weights on their own training images, and mark it", default=False, action="store_true")
    time_limit: str | None = option(
        "end after this time, such as 90m or 2h; the same command goes on later", default=None, metavar="TIME"
    )
    save_predictions: bool = option("write the predicted masks", default=False, action="store_true")
    save_scores: str | None = option(
        "write the score maps: png (16 bits, taken if none is said) or npy",
        default=None,
        nargs="?",
        const="png",
        choices=("png", "npy"),
    )


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What to score and where to put it.

    Attributes:
        folder: Of predictions, or a tree of such folders.
        out: Result folder.
        dataset: As `datasets.build_dataset` takes it, or None to take it from the names of the folders.
        data_root, split: Of the data sets.
        name: Of the row, for a single folder; None for the folder's.
        scores: A value of `engine.foreign.reader.Kind`, or None to see what the predictions are.
        threshold: Policy that cuts scores, or None for that of their kind.
        strict: Stop where a file is missing, left over or of another size.
        save_predictions: Keep the masks with the row, so that reports can show them.
    """

    folder: str
    out: str
    dataset: str | None = None
    data_root: str | None = None
    split: str = "irsam"
    name: str | None = None
    scores: str | None = None
    threshold: str | None = None
    strict: bool = False
    save_predictions: bool = False
