"""Table 1 as LaTeX: a fragment for ``\\input`` that needs the packages booktabs and graphicx."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from irsam_zoo.reports.cell_texts import NOT_REAL, PLAIN, data_notes
from irsam_zoo.reports.columns import listed, units
from irsam_zoo.reports.latex_grid import Grid, escape, scored
from irsam_zoo.reports.markdown import further_source_notes, source_title
from irsam_zoo.reports.published import size_of
from irsam_zoo.reports.table_line import MARKS

if TYPE_CHECKING:
    from irsam_zoo.reports.cell_texts import Layout
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Line


def to_latex(sections: "Iterable[Section]", protocol: str, layout: "Layout" = PLAIN) -> str:
    """LaTeX text: one ``table*`` a split, all its data sets side by side, or below each other where methods are across."""
    parts = ["% Needs \\usepackage{booktabs,graphicx}.\n"]
    for split, group in groupby(sections, key=lambda section: section.split):
        parts.append(_table(split, list(group), protocol, layout))
    return "\n".join(parts)


def _table(split: str, sections: "Sequence[Section]", protocol: str, layout: "Layout") -> str:
    columns, lines = Grid(sections, layout).text()
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_caption(split, sections, protocol)}}}",
            r"\par\smallskip\footnotesize",
            r"\resizebox*{!}{\ifdim\totalheight>0.7\textheight 0.7\textheight\else\totalheight\fi}{%",
            r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * columns}}}",
            r"\toprule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}}}",
            rf"\par\smallskip\parbox{{\textwidth}}{{\scriptsize {_notes(sections)}}}",
            r"\end{table*}",
            "",
        ]
    )


def _caption(split: str, sections: "Sequence[Section]", protocol: str) -> str:
    lists = {True: [], False: []}
    for section in sections:
        if section.n_images:
            own = ", own list" if section.own_list and section.has_split else ""
            lists[section.has_split].append(f"{section.title} {section.n_images} images{own}")
    of_split = [rf"Test lists of the split \texttt{{{escape(split)}}} ({escape('; '.join(lists[True]))})"]
    of_own = [f"lists of one's own ({escape('; '.join(lists[False]))})"] if lists[False] else []
    named = " and ".join([*(of_split if lists[True] or not of_own else []), *of_own])
    parts = [
        rf"{named[0].upper()}{named[1:]}, protocol \texttt{{{escape(protocol)}}}.",
        "; ".join(filter(None, [_units(sections[0].columns), "best bold, second underlined."])),
    ]
    tables = {section.title: section.tables[0] for section in sections if section.tables}
    if tables:
        first = source_title(next(iter(tables.values())))  # of one split
        parts.append(f"Small figures: published by {escape(first)}, and measured minus published.")
        sizes = {}
        for section in sections:
            if section.tables and (size := size_of(section.tables[0], section.dataset)) != "native":
                sizes.setdefault(size, []).append(escape(section.title))
        parts += [
            f"Those of {' and '.join(titles)} are at {size} px: no difference is taken across sizes."
            for size, titles in sizes.items()
        ]
    return " ".join([*parts, *map(escape, further_source_notes(sections))])


def _notes(sections: "Sequence[Section]") -> str:
    """What stands below the table: thresholds, weights, exceptions, and what its marks mean."""
    notes = [
        f"Threshold {policy}: {who}." for policy, who in _who(sections, lambda line: line.row and line.row.threshold).items()
    ]
    training = "; ".join(f"{who} {text}" for text, who in _who(sections, lambda line: line.training).items())
    notes += [f"Weights: {training}."] if training else []
    for section in sections:
        notes += _exceptions(section)
        notes += [f"Data of {section.title}: {note}." for note in data_notes(section)]
    parts = [escape(note) for note in [*notes, *_speed_notes(sections)]]
    if any(value.lead is False for section in sections for line in section.lines for value in line.values.values()):
        parts.append(rf"$^{{\approx}}$ {escape(NOT_REAL)}.")
    untested = dict.fromkeys(head for section in sections for head in section.untested)
    parts += [escape(f"Leads in {', '.join(untested)} were not tested.")] if untested else []
    marks = sorted({mark for section in sections for line in section.lines for mark in line.used_marks})
    parts += [f"$^{{{mark}}}$ {escape(MARKS[mark])}." for mark in marks]
    return " ".join(parts)


def _units(columns: "Sequence[Column]") -> str:
    return units(
        columns,
        name=lambda column: column.symbol or escape(column.title or column.name),
        unit=lambda unit: f"$10^{{{round(math.log10(unit))}}}$",
    )


def _who(sections: "Sequence[Section]", text_of: "Callable[[Line], str | None]") -> dict[str, str]:
    """Texts about scored methods -> the methods, each with its data sets where not all of them have the same text."""
    places = {}
    for section in sections:
        for line in section.lines:
            if scored(line):
                places.setdefault((line.method, line.title), {}).setdefault(text_of(line), []).append(section.title)
    groups = {}
    for (_, title), texts in places.items():
        for text, names in texts.items():
            groups.setdefault(text, []).append(f"{title} ({', '.join(names)})" if len(texts) > 1 else title)
    return {text: ", ".join(titles) for text, titles in groups.items() if text}


def _exceptions(section: "Section") -> Iterator[str]:
    """Sentences about the rows of a data set that failed or do not cover the images of its head."""
    groups = {}
    for line in section.lines:
        if line.row is not None:
            text = section.deviation(line) if scored(line) else line.row.status
            groups.setdefault(text, []).append(line.title)
    for text, titles in groups.items():
        if text:
            yield f"{section.title}, {text}: {', '.join(titles)}." if len(groups) > 1 else f"{section.title}: {text}."


def _speed_notes(sections: "Sequence[Section]") -> Iterator[str]:
    """Sentences that say on which data set, and where several did it on which processor, speed was measured."""
    names = [column.name for column in sections[0].columns if column.of_method and not column.comparable]
    timed = {}
    for section in sections:
        for line in section.lines:
            speed = line.row and line.row.speed
            if speed and any(line.values[name].measured is not None for name in names):
                timed.setdefault(line.method, (section.title, speed.processor, line.title))
    several = len({processor for _, processor, _ in timed.values()}) > 1
    groups = {}
    for place, processor, title in timed.values():
        place += f" by {processor or 'an unknown processor'}" * several
        groups.setdefault(place, []).append(title)
    for place, titles in groups.items():
        yield f"{listed(names)} measured on {place}{': ' + ', '.join(titles) if len(groups) > 1 else ''}."
