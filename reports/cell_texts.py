"""The texts of a table, whatever its format."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Line, Value

NOT_REAL = "the lead over the next is not real at 95 % (paired bootstrap over the images)"


class Layout(NamedTuple):
    """How a table is laid out: with the 95 % interval in each cell, and with the methods across."""

    ci: bool = False
    transpose: bool = False


PLAIN = Layout()


class PublishedTexts(NamedTuple):
    """A published figure, the difference to it, ``""`` where there is none, and its mark of `source_marks`."""

    text: str
    difference: str
    mark: str


class CellTexts(NamedTuple):
    """The texts of a `Value` of a line, ``""`` where there is none, its rank, whether its lead may be chance, and its marks."""

    measured: str = ""
    interval: str = ""
    published: tuple[PublishedTexts, ...] = ()
    rank: int = 0
    doubtful: bool = False
    marks: str = ""


def source_marks(sections: "Iterable[Section]") -> dict[str, str]:
    """Daggers by source, of those that have a figure behind that of another one; where one alone is shown, none is marked."""
    behind = dict.fromkeys(source for section in sections for line in section.lines for source in line.sources[1:])
    return {source: "†" * place for place, source in enumerate(behind, start=1)}


def cell_texts(value: "Value", column: "Column", layout: Layout, marks: Mapping[str, str]) -> CellTexts:
    """The `CellTexts` of a value; `marks` are those of its table's `source_marks`."""
    interval = ""
    if layout.ci and value.low is not None and value.high is not None:
        interval = f"[{column.text(value.low)}, {column.text(value.high)}]"
    beside = (
        PublishedTexts(
            figure.text,
            "" if figure.difference is None else column.text(figure.difference, "+"),
            marks.get(figure.source, ""),
        )
        for figure in value.published
    )
    return CellTexts(
        "" if value.measured is None else column.text(value.measured),
        interval,
        tuple(beside),
        value.rank,
        value.lead is False,
        value.marks,
    )


def status(section: "Section", line: "Line") -> str:
    """What a table says of a row behind its figures, data notes by their number in `data_notes`."""
    row = line.row
    if row is None:
        return "not run"
    if not row.ok:
        return f"{row.status}: {row.reason}"
    size = f"metrics at {row.metric_size}" if row.metric_size != "native" else None
    numbers = [str(data_notes(section).index(note) + 1) for note in row.data_notes]
    return "; ".join(
        [
            row.status,
            *filter(None, [section.deviation(line), size, line.training]),
            *(f"{text} ({count} images)" for text, count in row.notes.items()),
            *([f"data {', '.join(numbers)}"] if numbers else []),
        ]
    )


def data_notes(section: "Section") -> list[str]:
    """What is to be known of the images behind the rows of a section, each once."""
    return list(dict.fromkeys(note for line in section.lines if line.row for note in line.row.data_notes))
