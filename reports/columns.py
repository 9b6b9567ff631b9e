"""The columns that a table can have: a name, where its figure is in a row, its unit, its digits, and which way is better.

Every format goes over columns. A metric's follows from its `metrics.Metric`; what rows hold besides metrics is listed here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, overload

from irsam_zoo.metrics.compute import METRICS, Metric
from irsam_zoo.metrics.stratify import SCR_BINS, SIZE_BINS
from irsam_zoo.metrics.typing import Interval
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
        marks: A `Row` to letters of `reports.table_line.MARKS` behind its figure.
    """

    name: str
    of: Callable[[Row, str], float | None]
    interval: Callable[[Row, str], Interval | None] = lambda row, protocol: None
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
    def head(self) -> str:
        """The title, with the unit where it is one of counts, such as ``"Params (M)"``."""
        title = self.title or self.name
        return f"{title} ({PREFIXES[self.unit]})" if self.unit in PREFIXES else title

    @overload
    def shown(self, figure: None) -> None: ...
    @overload
    def shown(self, figure: float) -> float: ...
    def shown(self, figure: float | None) -> float | None:
        """A figure in the column's unit; None stays None."""
        if figure is None:
            return None
        return figure / self.unit if self.unit > 1 else figure * (1 / self.unit)

    def text(self, value: float, sign: str = "") -> str:
        """A value in the column's unit as it is printed; `sign` is that of `format`."""
        if self.significant:
            return f"{float(f'{value:.{self.digits}g}'):{sign}g}"
        return f"{value:{sign}.{self.digits}f}"


def metric_column(name: str) -> Column:
    """The `Column` of a metric. One that rows hold and no plug-in has added now is printed as a `Metric` is by default."""
    metric = METRICS.get(name, Metric)
    return Column(
        name=name,
        of=lambda row, protocol: row.metrics.get(protocol, {}).get(name),
        interval=lambda row, protocol: row.ci95.get(protocol, {}).get(name),
        **{about: getattr(metric, about) for about in ("unit", "digits", "better", "title", "symbol")},
    )


def known_columns(rows: Iterable[Row] = ()) -> dict[str, Column]:
    """Every `Column` by its name, as a table of all would have them: of the metrics, those that are known and those in rows."""
    stored = {metric for row in rows for metrics in row.metrics.values() for metric in metrics}
    metrics = {name: metric_column(name) for name in METRICS}
    return OF_METHODS | metrics | OF_ROWS | {name: metric_column(name) for name in sorted(stored - {*METRICS})}


def columns_named(names: Iterable[str], rows: Iterable[Row] = (), digits: int | None = None) -> list[Column]:
    """Columns by name.

    Arguments:
        names: Of `known_columns`, or of `FAMILIES` of them.
        rows: Of a report.
        digits: Behind the point, in place of the columns' own; those that count digits keep theirs.

    Raises:
        UsageError: There is no such column, the text gives the nearest known ones; or the digits are not 0 to 9.
    """
    if digits is not None and not 0 <= digits <= 9:
        raise UsageError(f"--digits {digits}: a table has 0 to 9 digits behind the point")
    known = known_columns(rows)
    names = [name for given in names for name in FAMILIES.get(given, [given])]
    for name in names:
        if name not in known:
            raise UsageError(unknown("column", name, [*FAMILIES, *known]))
    columns = [known[name] for name in dict.fromkeys(names)]
    return [c if digits is None or c.significant else replace(c, digits=digits) for c in columns]


def units(
    columns: Iterable[Column],
    name: Callable[[Column], str] = lambda column: column.title or column.name,
    unit: Callable[[float], str] = lambda unit: f"{unit:.0e}".replace("e-0", "e-"),
) -> str:
    """The columns' units in words: ``"IoU, nIoU and Pd in 1e-2, Fa in 1e-6"``. Heads tell those of counts."""
    groups = {}
    for column in columns:
        if column.unit < 1:
            groups.setdefault(column.unit, []).append(name(column))
    return ", ".join(f"{listed(names)} in {unit(size)}" for size, names in groups.items())


def listed(names: Sequence[str]) -> str:
    """Names in words: ``"IoU, nIoU and Pd"``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def shortened(names: Iterable[str], most: int = 5) -> str:
    """Names in a line, of many of them the first: ``"IoU, nIoU, Pd, Fa, F1 and 4 more"``."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:most])} and {more} more"


def _of_speed(name: str) -> Callable[[Row, str], float | None]:
    return lambda row, protocol: getattr(row.speed, name) if row.ok and row.speed else None


def _of_signal(name: str) -> Callable[[Row, str], float | None]:
    return lambda row, protocol: row.signal[name] if row.signal else None


def _of_stratum(kind: str, name: str) -> Callable[[Row, str], float | None]:
    """Pd of the targets of one bin. Their matches are those of the exact protocol, and no other has a figure."""

    def of(row: Row, protocol: str) -> float | None:
        bins = row.strata[kind] if row.strata and protocol == "exact" else ()
        return next((found["Pd"] for found in bins if found["bin"] == name), None)

    return of


def _by_name(columns: Iterable[Column]) -> dict[str, Column]:
    return {column.name: column for column in columns}


_OF_A_NETWORK: dict[str, Any] = dict(better="lower", of_method=True, comparable=False)
OF_METHODS = _by_name(
    [
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
        Column(name="FLOPs", unit=1e9, of=_of_speed("flops"), **_OF_A_NETWORK),
        Column(name="memory", title="Bytes of GPU memory", unit=1e6, of=_of_speed("memory"), **_OF_A_NETWORK),
    ]
)
PD_BINS = {
    family: [Column(name=title.format(name), unit=1e-2, better="higher", of=_of_stratum(kind, name)) for name, _ in bins]
    for family, kind, bins, title in (
        ("Pd-by-size", "size", SIZE_BINS, "Pd {} px"),
        ("Pd-by-SCR", "scr", SCR_BINS, "Pd SCR {}"),
    )
}
FAMILIES = {family: [column.name for column in columns] for family, columns in PD_BINS.items()}
OF_ROWS = _by_name(
    [
        Column(name="AUC", unit=1e-2, better="higher", of=lambda row, protocol: row.auc),
        Column(name="SCRG", better="higher", of=_of_signal("SCRG")),
        Column(name="BSF", better="higher", of=_of_signal("BSF")),
        *(column for columns in PD_BINS.values() for column in columns),
    ]
)
