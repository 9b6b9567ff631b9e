"""Table 1 as Markdown: one table a data set, the published number and the difference in each cell."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from irsam_zoo.reports.cell_texts import NOT_REAL, PLAIN, cell_texts, data_notes, source_marks, status
from irsam_zoo.reports.columns import listed, units
from irsam_zoo.reports.published import size_of, source_facts
from irsam_zoo.reports.table_line import MARKS
from irsam_zoo.zoo.errors import visible

if TYPE_CHECKING:
    from irsam_zoo.reports.cell_texts import CellTexts, Layout
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.table import Section

FOREIGN_TAG = re.compile("<(?!/?(?:sup|u)>)")
ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}


def to_markdown(sections: "Sequence[Section]", protocol: str, layout: "Layout" = PLAIN) -> str:
    """Markdown text of the `reports.table.Section`s of one report."""
    parts = [f"# {sections[0].table if sections else 'Table 1'}\n"]
    if not sections:
        parts.append("No results are stored here yet.\n")
    for section in sections:
        parts += [f"## {_escape(section_title(section))}\n", section_head(section, protocol) + "\n"]
        parts += [markdown_table(_lines(section, layout)), _legend(section)]
    return "\n".join(parts)


def markdown_table(lines: Sequence[Sequence[str]]) -> str:
    """A table of lists of texts, the first of which is its head."""
    head, *body = (f"| {' | '.join(_escape(text) for text in line)} |" for line in lines)
    return "\n".join([head, f"|{'---|' * len(lines[0])}", *body]) + "\n"


def section_title(section: "Section") -> str:
    """A line on the images of a section."""
    images = f"{section.n_images} test images" if section.n_images else "not run"
    return f"{section.title}, {'split ' * section.has_split}{section.list_title}, {images}"


def section_head(section: "Section", protocol: str) -> str:
    """What the figures of a section are, and where the published ones are from."""
    return " ".join(filter(None, [f"Protocol `{protocol}`; {units(section.columns)}.", section_source(section)]))


def section_source(section: "Section") -> str:
    """Where the published figures of a section are from; empty where there are none."""
    said = []
    if section.tables:
        said = [f"In brackets: published by {source_title(section.tables[0])}, {published_at(section, section.tables[0])}."]
    elif section.further_sources:
        said = ["In brackets: published."]
    if said:
        return " ".join([*said, *further_source_notes([section])])
    if section.dataset == "synthetic":
        return "Images of the seeded generator: they compare programs, not methods, and have no published numbers."
    return ""


def further_source_notes(sections: "Sequence[Section]") -> Iterator[str]:
    """A sentence or two on each source of published figures that is not the first table of its split: whose, by whom, and what
    is to be known of them. A source with a mark is told by it, another one by the methods that it has figures of."""
    marks, found = source_marks(sections), {}
    for section in sections:
        for source, titles in section.further_sources.items():
            told = f"by {source_title(source)}, {published_at(section, source)}. {source_facts(source)['notes']}".rstrip()
            whose = found.setdefault((marks.get(source), told), {})
            whose |= dict.fromkeys([section.title] if source in marks else titles)
    texts = Counter(mark for mark, _ in found)
    for (mark, told), whose in found.items():
        if mark is None:
            yield f"Of {', '.join(whose)}: {told}"
        else:
            yield f"Marked {mark}{f' ({listed([*whose])})' * (texts[mark] > 1)}: {told}"


def source_title(source: str) -> str:
    """What a source of published figures is called."""
    return source_facts(source)["title"]


def published_at(section: "Section", source: str) -> str:
    """Whether measured figures of a data set compare with those of a source, in words."""
    size = size_of(source, section.dataset)
    return "and measured minus published" if size == "native" else f"at {size} px: no difference is taken across sizes"


def column_head(column: "Column") -> str:
    """What stands above a column, with an arrow to the better figures of data sets."""
    return column.head + ("" if column.of_method else ARROWS[column.better])


def notes(section: "Section") -> list[str]:
    """The sentences below the table of a section: what its marks and numbers stand for."""
    used = sorted({mark for line in section.lines for mark in line.used_marks})
    parts = [f"<sup>{mark}</sup> {MARKS[mark]}." for mark in used]
    values = [value for line in section.lines for value in line.values.values()]
    if any(value.lead is False for value in values):
        parts.append(f"≈ {NOT_REAL}.")
    if section.untested:
        parts.append(f"Leads in {', '.join(section.untested)} were not tested.")
    return parts + [f"data {number}: {note}." for number, note in enumerate(data_notes(section), start=1)]


def _lines(section: "Section", layout: "Layout") -> list[list[str]]:
    columns, marks = section.columns, source_marks([section])
    lines = [["Method", *map(column_head, columns), "Images", "Threshold", "Status"]]
    for line in section.lines:
        row = line.row
        cells = [_cell(cell_texts(line.values[column.name], column, layout, marks)) for column in columns]
        cells += [str(row.n_images), row.threshold] if row and row.n_images else ["", ""]
        lines.append([line.title + _marks(line.marks), *cells, status(section, line)])
    return [list(line) for line in zip(*lines, strict=True)] if layout.transpose else lines


def _escape(text: str) -> str:
    """Text in one line of a table, whose tags are the reports' own ones alone, and whose brackets make no link."""
    return FOREIGN_TAG.sub("&lt;", visible(" ".join(text.split()))).replace("](", "]\\(").replace("|", "\\|")


def _cell(texts: "CellTexts") -> str:
    """Measured and its interval, then in brackets all that is published and the differences; best bold, second underlined."""
    text = {1: f"**{texts.measured}**", 2: f"<u>{texts.measured}</u>"}.get(texts.rank, texts.measured)
    text = " ".join(filter(None, [text + " ≈" * texts.doubtful + _marks(texts.marks), texts.interval]))
    if not texts.published:
        return text or "-"
    beside = (", ".join(filter(None, [figure.text + figure.mark, figure.difference])) for figure in texts.published)
    return f"{text} ({'; '.join(beside)})".lstrip()


def _marks(letters: str) -> str:
    return f" <sup>{letters}</sup>" if letters else ""


def _legend(section: "Section") -> str:
    return "\n".join([*(f"{_escape(note)}  " for note in notes(section)), ""])
