"""The table behind every format: measured values with the published ones beside them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from datasets import DATASETS
from reports.published import printed_name, published, source_for, sources
from zoo.registry import registered

TABLE = Path(__file__).resolve().parents[1] / "configs" / "tables" / "table1.py"
# Metric, factor of the literature's unit, digits, and whether more is better.
METRICS = {"IoU": (1e2, 2, True), "nIoU": (1e2, 2, True), "Pd": (1e2, 2, True), "Fa": (1e6, 2, False)}
UNITS = "IoU, nIoU and Pd in 1e-2, Fa in 1e-6"


@dataclass
class Value:
    """A figure of the table in the literature's unit.

    Attributes:
        measured, low, high: The measured value and its 95 % interval, None where there is none.
        printed: The published value as it is printed, None where there is none.
        comparable: False where the two were measured on different machines or images.
        rank: 1 for the best measured value of its column, 2 for the second, else 0.
    """

    measured: float | None = None
    low: float | None = None
    high: float | None = None
    printed: str | None = None
    comparable: bool = True
    rank: int = 0

    @property
    def difference(self):
        """Measured minus published, or None."""
        if self.measured is None or self.printed is None or not self.comparable:
            return None
        return self.measured - float(self.printed)


@dataclass
class Line:
    """One method on one data set."""

    method: str
    title: str
    row: dict | None
    values: dict[str, Value]
    params: Value
    fps: Value

    @property
    def whole(self):
        """True where every image of the row's test list was scored."""
        return self.row is not None and self.row["status"] == "ok" and self.row["n_images"] == self.row["n_split"]

    @property
    def complete(self):
        """True where every image was scored, at its own size, and none can have been looked at in training.

        Only then it may be ranked.
        """
        return self.whole and not any(self._flags[letter] for letter in "IOTU")

    @property
    def weights(self):
        """What is known of a network's weights; empty where there are none."""
        return (self.row or {}).get("weights") or {}

    @property
    def metric_size(self):
        """``"native"``, or the size to which a network resized images and masks for its metrics, such as ``"512x512"``."""
        return (self.row or {}).get("metric_size", "native")

    @property
    def schedule(self):
        """By which schedule the weights were trained, or None where that is not known."""
        name = self.weights.get("schedule")
        return f"{name}, in stages" if name and self.weights.get("in_stages") else name

    @property
    def training(self):
        """In short words, how the weights came about, or None where there are none."""
        if not self.weights:
            return None
        place = f" on {self.weights['dataset']} ({self.weights['split']})" if self.weights.get("dataset") else ""
        if self.weights.get("publisher"):
            return f"weights of {self.weights['publisher']}, trained{place}"
        if self.schedule is None:
            return f"weights {self.weights['file']}"
        name, comma, stages = self.schedule.partition(",")
        place = f"{comma}{place}" if place else ""
        return f"{name}-trained{comma}{stages}{place}"

    @property
    def marks(self):
        """Letters behind the title; `MARKS` explains them."""
        if self.row is None:
            return "N"
        fidelity = self.row.get("fidelity", "author-code")
        letters = {"public-port": "P", "reconstruction": "R"}.get(fidelity.split(" ")[0], "V" if "(" in fidelity else "")
        return "".join(sorted(letters + "".join(letter for letter, flag in self._flags.items() if flag)))

    @property
    def _flags(self):
        names = {"O": "oracle", "S": "from_sweep", "T": "trained_on_test"}
        unknown = not self.weights.get("training_images_known", True)
        resized = self.metric_size != "native"
        return {letter: self.row.get(name) for letter, name in names.items()} | {"I": resized, "U": unknown}


MARKS = {
    "I": "metrics at the size of the network's input, to which the masks were resized, as the literature mostly takes them",
    "N": "not run here; figures, if any, are published ones",
    "O": "threshold chosen by looking at the masks (an upper bound)",
    "P": "equal to a third party's port, not to the author's code",
    "R": "a reconstruction from the paper, whole or in part; the author's code was never published",
    "T": "test images were in the training list of these weights",
    "U": "the training images of these weights are not known",
    "S": "cut at the next of 256 stored levels, not run again",
    "V": "equal to the author's code but for what the method's card names",
}


@dataclass
class Section:
    """All methods on one data set and split.

    Attributes:
        dataset, split: Names.
        own_list: True where the images are not those of the package's list of this name: no published number is of them.
        source: The key of the published table whose split this is, or None.
        lines: Methods in the table's order.
    """

    dataset: str
    split: str
    own_list: bool
    source: str | None
    lines: list[Line] = field(default_factory=list)

    @property
    def title(self):
        """The data set's name as the literature prints it."""
        known = registered(DATASETS, self.dataset)
        return known.title if known else self.dataset

    @property
    def source_title(self):
        return sources()[self.source]["title"] if self.source else None

    @property
    def images(self):
        """Number and fingerprint of the images that most whole rows were scored on, None for what is not known."""
        pairs = Counter((line.row["n_split"], _fingerprint(line.row)) for line in self.lines if line.whole)
        pairs = pairs or Counter((line.row["n_split"], None) for line in self.lines if line.row and "n_split" in line.row)
        return pairs.most_common(1)[0][0] if pairs else (None, None)

    @property
    def n_images(self):
        """Images of the whole test list, or None where no method was run."""
        return self.images[0]

    def deviation(self, line):
        """In words, which images a scored row covers; None where they are those of `images`."""
        row = line.row
        if row is None or row["status"] != "ok":
            return None
        if not line.whole:
            return f"first {row['n_images']} of {row['n_split']} images"
        number, fingerprint = self.images
        if row["n_split"] != number:
            return f"another list of {row['n_split']} images"
        same = None in (fingerprint, _fingerprint(row)) or fingerprint == _fingerprint(row)
        return None if same else f"other {number} images"


def _fingerprint(row):
    return row.get("key", {}).get("data")


def build_table(rows, *, protocol="exact"):
    """Arrange stored rows.

    Arguments:
        rows: Rows of the result store, of any data sets and splits.
        protocol: Whose definition of the metrics; see `engine.metrics`.

    Returns:
        list[Section]: One a split and data set that has rows, in the order of `TABLE`. Methods of it that have no
        row there show their published numbers; methods beyond it follow by name.
    """
    config = Config.fromfile(TABLE)
    sections = []
    for split in sorted({row["split"] for row in rows}):
        names = {row["dataset"] for row in rows if row["split"] == split}
        for dataset in sorted(names, key=lambda name: _place(name, config.datasets)):
            found = {row["method"]: row for row in rows if (row["split"], row["dataset"]) == (split, dataset)}
            own_list = any(row.get("own_split") for row in found.values())
            source = source_for(split) if dataset in config.datasets and not own_list else None
            section = Section(dataset, split, own_list, source)
            for method in sorted({*config.methods, *found}, key=lambda name: _place(name, config.methods)):
                section.lines.append(_line(method, dataset, found.get(method), source, protocol))
            _compare(section)
            sections.append(section)
    return sections


def _place(name, order):
    return (order.index(name), "") if name in order else (len(order), name)


def _line(method, dataset, row, source, protocol):
    known = published(source) if source else {}
    measured = row["metrics"].get(protocol, {}) if row and row["status"] == "ok" else {}
    intervals = row.get("ci95", {}).get(protocol, {}) if measured else {}
    values = {}
    for metric, (scale, _, _) in METRICS.items():
        low, high = intervals.get(metric) or (None, None)
        figures = [None if v is None else v * scale for v in (measured.get(metric), low, high)]
        values[metric] = Value(*figures, known.get((method, dataset, metric)))
    params = row.get("params") if row else None
    speed = row.get("speed") if measured else None
    return Line(
        method=method,
        title=row["title"] if row and row["title"] != method else printed_name(method),
        row=row,
        values=values,
        params=Value(params / 1e6 if params else None, printed=known.get((method, "", "params"))),
        fps=Value(speed["fps"] if speed else None, printed=known.get((method, "", "FPS")), comparable=False),
    )


def _compare(section):
    """Rank the honest rows over the images of the section, and take the differences from those over others."""
    for line in section.lines:
        for value in line.values.values():
            value.comparable = section.deviation(line) is None
    for metric, (_, digits, more) in METRICS.items():
        values = [line.values[metric] for line in section.lines if line.complete and section.deviation(line) is None]
        levels = sorted({round(v.measured, digits) for v in values if v.measured is not None}, reverse=more)[:2]
        for value in values:
            if value.measured is not None and round(value.measured, digits) in levels:
                value.rank = levels.index(round(value.measured, digits)) + 1
