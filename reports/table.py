"""The table behind every format: measured values with the published ones beside them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mmengine.config import Config

from irsam_zoo import ROOT
from irsam_zoo.datasets import DATASETS
from irsam_zoo.datasets.splits import DEFAULT_SPLIT
from irsam_zoo.reports.columns import DEFAULT, Column, columns_named
from irsam_zoo.reports.groups import GROUPS, group_of, method_card
from irsam_zoo.reports.published import printed_name, published, published_figures, size_of, tables_of
from irsam_zoo.reports.ranking import rank
from irsam_zoo.reports.stand_in import KINDS, chosen_rows
from irsam_zoo.reports.table_line import Line, Published, Value
from irsam_zoo.results.row import OUTSIDE, Status
from irsam_zoo.zoo import UsageError, list_configs, list_methods
from irsam_zoo.zoo.lookup import registered, unknown

if TYPE_CHECKING:
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.stored_rows import CountsOf

TABLES = ROOT / "configs" / "tables"


@dataclass
class Section:
    """All methods on one data set and split.

    Attributes:
        dataset, split: Names.
        own_list: True where the images are not those of the package's list of this name: no published number is of them.
        tables: The published tables whose split this is, keys of `reports.published.sources`.
        protocol: Whose metrics.
        columns: In their order.
        table: What the whole table is called.
        lines: Methods in the table's order.
    """

    dataset: str
    split: str
    own_list: bool
    tables: list[str]
    protocol: str
    columns: list[Column]
    table: str = "Table 1"
    lines: list[Line] = field(default_factory=list)

    @property
    def known(self) -> bool:
        """Whether the package has the data set; one of a user's own has no methods but those that were run."""
        return registered(DATASETS, self.dataset) is not None

    @property
    def title(self) -> str:
        """The data set's name as the literature prints it."""
        known = registered(DATASETS, self.dataset)
        return known.title if known else self.dataset

    @property
    def has_split(self) -> bool:
        """Whether the images may be told from others by the name of a split; a list of a user's own set has none."""
        return self.known or not self.own_list

    @property
    def list_title(self) -> str:
        """What the list of images is called, in Markdown."""
        return " ".join([f"`{self.split}`"] * self.has_split + ["(own list)" if self.has_split else "own list"] * self.own_list)

    @property
    def further_sources(self) -> dict[str, list[str]]:
        """Titles of the methods with published values from elsewhere than the first of `tables`, by `Published.source`."""
        found = {}
        for line in self.lines:
            for source in line.sources:
                if source not in self.tables[:1]:
                    found.setdefault(source, []).append(line.title)
        return found

    @property
    def images(self) -> tuple[int | None, str | None]:
        """Number and fingerprint of the images that most whole rows were scored on, None for what is not known."""
        pairs = Counter((line.row.n_split, line.row.fingerprint) for line in self.lines if line.row and line.whole)
        pairs = pairs or Counter((line.row.n_split, None) for line in self.lines if line.row and line.row.n_split)
        return pairs.most_common(1)[0][0] if pairs else (None, None)

    @property
    def n_images(self) -> int | None:
        """Images of the whole test list, or None where no method was run."""
        return self.images[0]

    @property
    def untested(self) -> list[str]:
        """Heads of the columns with a best figure of which it is not known whether its lead is real."""
        for_best = {c.head: [line.values[c.name] for line in self.lines if line.values[c.name].rank] for c in self.columns}
        return [
            head
            for head, values in for_best.items()
            if any(value.rank == 2 for value in values) and any(value.rank == 1 and value.lead is None for value in values)
        ]

    def deviation(self, line: Line) -> str | None:
        """In words, why a scored row is not compared: its images are not `images`, or it lacks the protocol. Else None."""
        row = line.row
        if row is None or not row.ok:
            return None
        if row.status is Status.INCOMPLETE:
            return row.reason
        if not row.whole:
            first = "" if row.fidelity == OUTSIDE else "first "
            return f"{first}{row.n_images} of {row.n_split} images"
        number, fingerprint = self.images
        if row.n_split != number:
            return f"another list of {row.n_split} images"
        if None not in (fingerprint, row.fingerprint) and fingerprint != row.fingerprint:
            return f"other {number} images"
        return None if self.protocol in row.metrics else f"cut after scoring, no metrics of protocol {self.protocol}"


def build_table(
    rows: "Sequence[Row]",
    *,
    protocol: str = "exact",
    columns: Iterable[str] = DEFAULT,
    digits: int | None = None,
    with_published: bool = False,
    counts: "CountsOf" = lambda row: None,
    table: str = "table1",
    beside: "Sequence[Row]" = (),
    alone: bool = False,
) -> list[Section]:
    """Arrange stored rows.

    Arguments:
        rows: Rows of the result store, of any data sets and splits.
        protocol: Whose definition of the metrics; see `metrics`.
        columns: Names of `reports.columns`.
        digits: Behind the point, in place of the columns' own.
        with_published: Show also the published methods that the package does not have.
        counts: Function of a row to the counts of its images, or None, such as `StoredRows.counts`. Leads are tested
            with them.
        table: Name of a configuration in ``configs/tables/``; its ``weights`` say which rows of networks to show.
        beside: Rows of further folders, as `reports.stand_in.chosen_rows` takes them.
        alone: Leave the group after Table 1 out, unless the configuration has it ``with_after``.

    Returns:
        list[Section]: One a split and data set that has rows, in the order of the configuration, its methods by
        `reports.groups` and in that order. Methods of it that have no row there show their published numbers, but on a data set
        of a user's own; methods beyond it follow by name.

    Raises:
        UsageError: There is no such column or configuration.
    """
    shown = columns_named(columns, rows, digits)
    config = table_config(table)
    order = [*config.methods, *config.after]
    listed = order if config.with_after else config.methods
    sections = []
    for split in sorted({row.split for row in rows}, key=lambda name: (name != DEFAULT_SPLIT, name)):
        names = {row.dataset for row in rows if row.split == split}
        for dataset in sorted(names, key=lambda name: _place(name, config.datasets)):
            own, further = ([row for row in some if (row.split, row.dataset) == (split, dataset)] for some in (rows, beside))
            found = chosen_rows(own, further, config.get("weights", KINDS), order)
            own_list = any(row.own_split for row in found.values())
            tables = tables_of(split) if dataset in config.datasets and not own_list else []
            section = Section(dataset, split, own_list, tables, protocol, shown, config.get("title", "Table 1"))
            unrun = {*listed, *_published_here(tables, with_published)} if section.known else set()
            for method in {*unrun, *found}:
                line = _line(method, section, found.get(method), config)
                if line.group != "after" or config.with_after or not alone:
                    section.lines.append(line)
            section.lines.sort(key=lambda line: (list(GROUPS).index(line.group), _place(line.method, order)))
            _compare(section)
            rank(section, counts)
            sections.append(section)
    return sections


def table_config(table: str) -> Config:
    """A configuration of ``configs/tables`` by its name; UsageError where there is none."""
    known = sorted(path.stem for path in TABLES.glob("*.py"))
    if table not in known:
        raise UsageError(unknown("table", table, known))
    return Config.fromfile(TABLES / f"{table}.py")


def _published_here(tables: Iterable[str], all_of_them: bool) -> set[str]:
    """The methods of published tables: all, or those that the package has as methods or configurations."""
    methods = {method for table in tables for method, _, _ in published(table)}
    return methods if all_of_them else methods & {*list_methods(), *list_configs()}


def _place(name: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(name), "") if name in order else (len(order), name)


def _line(method: str, section: Section, row: "Row | None", config: Config) -> Line:
    printed = {} if section.own_list else published_figures(method, section.dataset, section.split, section.tables)
    shown = {column.name for column in section.columns}
    return Line(
        method=method,
        title=row.title if row and row.title != method else _title(method),
        group=group_of(method, row, config.ours, config.after),
        row=row,
        values={column.name: _value(column, printed, section, row) for column in section.columns},
        sources=tuple(source for source, texts in printed.items() if shown & {*texts}),
    )


def _title(method: str) -> str:
    """That of a method of the package, by its card; of another one the name that a published table prints."""
    card = method_card(method) if method in list_methods() else None
    return card.title if card else printed_name(method)


def _value(column: Column, printed: Mapping[str, Mapping[str, str]], section: Section, row: "Row | None") -> Value:
    beside = tuple(Published(source, texts[column.name]) for source, texts in printed.items() if column.name in texts)
    if row is None or not (row.ok or column.of_method):
        return Value(published=beside)
    figures = (column.of(row, section.protocol), *(column.interval(row, section.protocol) or (None, None)))
    marks = column.marks(row) if figures[0] is not None else ""
    return Value(*(column.shown(figure) for figure in figures), published=beside, marks=marks)


def _compare(section: Section) -> None:
    """Note what each published figure is apart from the measured one by, or the difference."""
    for line in section.lines:
        for column in section.columns:
            value = line.values[column.name]
            for figure in value.published:
                figure.apart = _apart(section, line, column, figure.source)
                if value.measured is not None and not figure.apart:
                    figure.difference = value.measured - float(figure.text)


def _apart(section: Section, line: Line, column: Column, source: str) -> str:
    """The `Published.apart` of a figure."""
    row = line.row
    if row is None or not (row.ok or column.of_method):
        return "not run" if row is None else str(row.status)
    if not column.comparable:
        return "measured on other machines"
    if column.of_method:
        return ""
    size = size_of(source, section.dataset)
    if row.metric_size != size:
        return f"published at {size} size" if size == "native" else f"published at {size} px"
    return section.deviation(line) or ""
