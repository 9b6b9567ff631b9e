"""The table behind every format: measured values with the published ones beside them."""

from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from datasets import DATASETS
from reports.published import printed_name, published, source_for, sources
from zoo.registry import registered

TABLE_DIR = Path(__file__).resolve().parents[1] / "configs" / "tables"
# Metric, factor of the literature's unit, digits, and whether more is better.
METRICS = {"IoU": (1e2, 2, True), "nIoU": (1e2, 2, True), "Pd": (1e2, 2, True), "Fa": (1e6, 2, False)}
UNITS = "IoU, nIoU and Pd in 1e-2, Fa in 1e-6"


@dataclass
class Value:
    """A figure of the table in the literature's unit.

    Attributes:
        measured, low, high: The measured value and its 95 % interval, None where there is none.
        published: The published value, None where there is none.
        comparable: False where the two were measured on different machines.
        rank: 1 for the best measured value of its column, 2 for the second, else 0.
    """

    measured: float | None = None
    low: float | None = None
    high: float | None = None
    published: float | None = None
    comparable: bool = True
    rank: int = 0

    @property
    def difference(self):
        """Measured minus published, or None."""
        if self.measured is None or self.published is None or not self.comparable:
            return None
        return self.measured - self.published


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
    def complete(self):
        """True where every image was scored, and none had been looked at in training: only then a value may be ranked."""
        row = self.row
        honest = row is not None and row["status"] == "ok" and not row.get("oracle") and not row.get("trained_on_test")
        return honest and row["n_images"] == row["n_split"]

    @property
    def marks(self):
        """Letters behind the title; `MARKS` explains them."""
        if self.row is None:
            return "N"
        fidelity = self.row.get("fidelity", "author-code")
        letters = {"public-port": "P", "reconstruction": "R"}.get(fidelity.split(" ")[0], "V" if "(" in fidelity else "")
        for flag, letter in (("oracle", "O"), ("from_sweep", "S"), ("trained_on_test", "T")):
            letters += letter if self.row.get(flag) else ""
        return "".join(sorted(letters))


MARKS = {
    "N": "not run here: published numbers alone",
    "O": "threshold chosen by looking at the masks (an upper bound)",
    "P": "equal to a public port; no author's code exists",
    "R": "a reconstruction from the paper, whole or in part; the author's code was never published",
    "T": "test images were in the training list of these weights",
    "S": "cut at the next of 256 stored levels, not run again",
    "V": "equal to the author's code in the part that the method's card names",
}


@dataclass
class Section:
    """All methods on one data set and split.

    Attributes:
        dataset, split: Names.
        source: The key of the published table whose split this is, or None.
        lines: Methods in the table's order.
    """

    dataset: str
    split: str
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
    def n_images(self):
        """Images of the whole test list, or None where no method was run."""
        return next((line.row["n_split"] for line in self.lines if line.row and "n_split" in line.row), None)


def build_table(rows, *, protocol="exact", config="table1"):
    """Arrange stored rows.

    Arguments:
        rows: Rows of the result store, of any data sets and splits.
        protocol: Whose definition of the metrics; see `engine.metrics`.
        config: A file of ``configs/tables`` with the methods and data sets in their order.

    Returns:
        list[Section]: One a split and data set that has rows, in the config's order. Methods of the config that have no
        row there show their published numbers; methods beyond it follow by name.
    """
    config = Config.fromfile(TABLE_DIR / f"{config}.py")
    sections = []
    for split in sorted({row["split"] for row in rows}):
        names = {row["dataset"] for row in rows if row["split"] == split}
        for dataset in sorted(names, key=lambda name: _place(name, config.datasets)):
            found = {row["method"]: row for row in rows if (row["split"], row["dataset"]) == (split, dataset)}
            source = source_for(split) if dataset in config.datasets else None
            section = Section(dataset, split, source)
            for method in sorted({*config.methods, *found}, key=lambda name: _place(name, config.methods)):
                section.lines.append(_line(method, dataset, found.get(method), source, protocol))
            _rank(section)
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
        values[metric] = Value(*figures, published=known.get((method, dataset, metric)))
    params = row.get("params") if row else None
    speed = row.get("speed") if measured else None
    return Line(
        method=method,
        title=row["title"] if row else printed_name(method),
        row=row,
        values=values,
        params=Value(params / 1e6 if params else None, published=known.get((method, "", "params"))),
        fps=Value(speed["fps"] if speed else None, published=known.get((method, "", "FPS")), comparable=False),
    )


def _rank(section):
    for metric, (_, digits, more) in METRICS.items():
        values = [line.values[metric] for line in section.lines if line.complete]
        levels = sorted({round(v.measured, digits) for v in values if v.measured is not None}, reverse=more)[:2]
        for value in values:
            if value.measured is not None and round(value.measured, digits) in levels:
                value.rank = levels.index(round(value.measured, digits)) + 1
