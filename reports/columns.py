"""The columns that a table can have: a name, where its figure is in a row, its unit, its digits, and which way is better.

Every format goes over columns, so that a new one is one entry here, or one `add_column` of a plug-in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from irsam_zoo.metrics.stratify import SCR_BINS, SIZE_BINS
from irsam_zoo.results.row import Row
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import unknown

PREFIXES = {1e3: "k", 1e6: "M", 1e9: "G"}
DEFAULT = ("params", "FPS", "IoU", "nIoU", "Pd", "Fa")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: As results and published tables have it.
        of: A `Row` and a protocol to the figure, or None where the row has none: fractions, images a second, plain counts.
        interval: The same to the lower and upper end of its 95 % interval.
        unit: The figure that is printed as 1, such as 1e-2.
        digits: Behind the point; with `significant`, those that count.
        better: Which figures are, or None.
        title: What stands above the column; the name unless it is given.
        symbol: The name in a LaTeX caption; the title unless it is given.
        of_method: The figure is the method's, whatever the data set: published once, and never ranked.
        comparable: Whether measured minus published is worth printing.
        marks: A `Row` to letters of `reports.table.MARKS` behind its figure.
    """

    name: str
    of: Callable[[Row, str], float | None]
    interval: Callable[[Row, str], tuple | None] = lambda row, protocol: None
    unit: float = 1.0
    digits: int = 2
    significant: bool = False
    better: Literal["higher", "lower"] | None = None
    title: str = ""
    symbol: str = ""
    of_method: bool = False
    comparable: bool = True
    marks: Callable[[Row], str] = lambda row: ""

    @property
    def head(self):
        """The title, with the unit where it is one of counts, such as ``"Params (M)"``."""
        title = self.title or self.name
        return f"{title} ({PREFIXES[self.unit]})" if self.unit in PREFIXES else title

    def shown(self, figure):
        """A figure in the column's unit; None stays None."""
        if figure is None:
            return None
        return figure / self.unit if self.unit > 1 else figure * (1 / self.unit)

    def text(self, value, sign=""):
        """A value in the column's unit as it is printed; `sign` is that of `format`."""
        if self.significant:
            return f"{float(f'{value:.{self.digits}g}'):{sign}g}"
        return f"{value:{sign}.{self.digits}f}"


COLUMNS = {}


def add_column(column):
    """Make a `Column` known by its name. A plug-in that is read twice adds it once."""
    COLUMNS[column.name] = column
    return column


def metric_column(name, **options):
    """A `Column` of a metric: a fraction in 1e-2 of which more is better, unless the options say otherwise."""
    return Column(
        name=name,
        of=lambda row, protocol: row.metrics.get(protocol, {}).get(name),
        interval=lambda row, protocol: row.ci95.get(protocol, {}).get(name),
        **dict(unit=1e-2, better="higher") | options,
    )


def columns_named(names, rows=(), digits=None):
    """Columns by name.

    Arguments:
        names: Of columns, or of `FAMILIES` of them. A metric that one of the rows has is a column even where none was added.
        rows: Of a report.
        digits: Behind the point, in place of the columns' own; those that count digits keep theirs.

    Raises:
        UsageError: There is no such column, the text gives the nearest known ones; or the digits are not 0 to 9.
    """
    if digits is not None and not 0 <= digits <= 9:
        raise UsageError(f"--digits {digits}: a table has 0 to 9 digits behind the point")
    stored = {metric for row in rows for metrics in row.metrics.values() for metric in metrics}
    names = [name for given in names for name in FAMILIES.get(given, [given])]
    for name in names:
        if name not in COLUMNS and name not in stored:
            raise UsageError(unknown("column", name, [*FAMILIES, *COLUMNS, *sorted(stored - set(COLUMNS))]))
    columns = [COLUMNS[name] if name in COLUMNS else metric_column(name) for name in dict.fromkeys(names)]
    return [c if digits is None or c.significant else replace(c, digits=digits) for c in columns]


def units(columns, name=lambda column: column.title or column.name, unit=lambda unit: f"{unit:.0e}".replace("e-0", "e-")):
    """The columns' units in words: ``"IoU, nIoU and Pd in 1e-2, Fa in 1e-6"``. Heads tell those of counts."""
    groups = {}
    for column in columns:
        if column.unit < 1:
            groups.setdefault(column.unit, []).append(name(column))
    return ", ".join(f"{listed(names)} in {unit(size)}" for size, names in groups.items())


def listed(names):
    """Names in words: ``"IoU, nIoU and Pd"``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shortened(names, most=5):
    """Names in a line, of many of them the first: ``"IoU, nIoU, Pd, Fa, F1 and 4 more"``."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:most])} and {more} more"


def _of_speed(name):
    return lambda row, protocol: getattr(row.speed, name) if row.ok and row.speed else None


def _of_signal(name):
    return lambda row, protocol: row.signal and row.signal[name]


def _of_stratum(kind, name):
    """Pd of the targets of one bin. Their matches are those of the exact protocol, and no other has a figure."""

    def of(row, protocol):
        bins = row.strata[kind] if row.strata and protocol == "exact" else ()
        return next((found["Pd"] for found in bins if found["bin"] == name), None)

    return of


for column in (
    Column(name="params", title="Params", unit=1e6, better="lower", of_method=True, of=lambda row, protocol: row.params),
    Column(
        name="FPS",
        digits=3,
        significant=True,
        better="higher",
        of_method=True,
        comparable=False,
        of=_of_speed("fps"),
        marks=lambda row: row.speed.marks if row.speed else "",
    ),
    Column(name="FLOPs", unit=1e9, better="lower", of_method=True, comparable=False, of=_of_speed("flops")),
    Column(
        name="memory",
        title="Bytes of GPU memory",
        unit=1e6,
        better="lower",
        of_method=True,
        comparable=False,
        of=_of_speed("memory"),
    ),
    metric_column("IoU"),
    metric_column("nIoU"),
    metric_column("Pd", symbol="$P_d$"),
    metric_column("Fa", symbol="$F_a$", unit=1e-6, better="lower"),
    metric_column("precision", title="Precision"),
    metric_column("recall", title="Recall"),
    metric_column("F1"),
    metric_column("hIoU"),
    metric_column("segIoU"),
    metric_column("locIoU"),
    Column(name="AUC", unit=1e-2, better="higher", of=lambda row, protocol: row.auc),
    Column(name="SCRG", better="higher", of=_of_signal("SCRG")),
    Column(name="BSF", better="higher", of=_of_signal("BSF")),
):
    add_column(column)

FAMILIES = {"Pd-by-size": [], "Pd-by-SCR": []}
for family, kind, bins, title in (
    ("Pd-by-size", "size", SIZE_BINS, "Pd {} px"),
    ("Pd-by-SCR", "scr", SCR_BINS, "Pd SCR {}"),
):
    for name, _ in bins:
        FAMILIES[family].append(title.format(name))
        add_column(Column(name=title.format(name), unit=1e-2, better="higher", of=_of_stratum(kind, name)))
