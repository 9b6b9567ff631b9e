"""The body of a LaTeX table: methods down or across, below each figure its interval, the published one and the difference."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from irsam_zoo.reports.cell_texts import CellTexts, PublishedTexts, cell_texts, source_marks
from irsam_zoo.reports.groups import GROUPS
from irsam_zoo.zoo.errors import visible

if TYPE_CHECKING:
    from irsam_zoo.reports.cell_texts import Layout
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Line

ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", None: ""}
SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}",
           "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
           "|": r"\textbar{}", "[": "{[}", "†": r"$^{\dagger}$"}  # fmt: skip
NOTHING = PublishedTexts("", "", "")


def escape(text: str) -> str:
    """Text in one line with LaTeX's special characters made plain."""
    return "".join(SPECIAL.get(character, character) for character in visible(text))


class Grid:
    """The cells of the sections of one split, by method and place.

    Arguments:
        sections: `reports.table.Section`s, with the same columns.
        layout (Layout): How they are laid out.

    Attributes:
        own, each: Columns that a method has once, and those that it has for each data set.
        methods: By name, the method's `reports.table_line.Line`s, None where a section has none; in their groups.
    """

    def __init__(self, sections: "Sequence[Section]", layout: "Layout"):
        self.sections, self.layout = sections, layout
        self.marks = source_marks(sections)
        columns = sections[0].columns
        self.own, self.each = [c for c in columns if c.of_method], [c for c in columns if not c.of_method]
        lines_of = [{line.method: line for line in section.lines} for section in sections]
        lines = sorted(
            (line for section in sections for line in section.lines), key=lambda line: list(GROUPS).index(line.group)
        )
        self.methods = {line.method: [known.get(line.method) for known in lines_of] for line in lines}

    def text(self) -> tuple[int, list[str]]:
        """How many columns of figures there are, and the lines of the head and of the body."""
        return self._across() if self.layout.transpose else self._upright()

    def _upright(self) -> tuple[int, list[str]]:
        heads = [escape(column.head) + ARROWS[column.better] for column in (*self.own, *self.each)]
        groups, rules = "", ""
        for number, section in enumerate(self.sections if self.each else ()):
            first = 2 + len(self.own) + number * len(self.each)
            groups += rf" & \multicolumn{{{len(self.each)}}}{{c}}{{{escape(section.title)}}}"
            rules += rf"\cmidrule(lr){{{first}-{first + len(self.each) - 1}}}"
        lines = [rf"{_row(['', *heads[: len(self.own)]])}{groups} \\", rules]
        lines += [rf"{_row(['Method', *[''] * len(self.own), *heads[len(self.own) :] * len(self.sections)])} \\"]
        width = len(self.own) + len(self.each) * len(self.sections)
        for group, methods in self._groups():
            lines += [r"\midrule", rf"\multicolumn{{{width + 1}}}{{l}}{{\textit{{{GROUPS[group]}}}}} \\"]
            for method in methods:
                cells = self._cells(method)
                if all(texts[0] == "-" for texts in cells):  # one line of published figures
                    cells = [[published or "-", "", "", *more] for _, _, published, *more in cells]
                lines += self._stack(self._title(method), cells)
        return width, lines

    def _across(self) -> tuple[int, list[str]]:
        titles = [rf"\rotatebox{{90}}{{{self._title(method)}}}" for method in self.methods]
        groups, rules, first = "", "", 2
        for group, methods in self._groups():
            groups += rf" & \multicolumn{{{len(methods)}}}{{c}}{{\textit{{{GROUPS[group]}}}}}"
            rules += rf"\cmidrule(lr){{{first}-{first + len(methods) - 1}}}"
            first += len(methods)
        lines = [rf"{groups} \\", rules, rf"{_row(['', *titles])} \\"]
        columns = list(zip(*map(self._cells, self.methods), strict=True))
        heads = [escape(column.head) + ARROWS[column.better] for column in (*self.own, *self.each)]
        if self.own:
            lines.append(r"\midrule")
        for head, cells in zip(heads[: len(self.own)], columns, strict=False):
            lines += self._stack(head, cells)
        for number, section in enumerate(self.sections if self.each else ()):
            lines += [r"\midrule", rf"\multicolumn{{{len(titles) + 1}}}{{l}}{{\textit{{{escape(section.title)}}}}} \\"]
            start = len(self.own) + number * len(self.each)
            for head, cells in zip(heads[len(self.own) :], columns[start:], strict=False):
                lines += self._stack(head, cells)
        return len(titles), lines

    def _groups(self) -> list[tuple[str, list[str]]]:
        """The groups that have methods, with them."""
        group = lambda method: next(line.group for line in self.methods[method] if line)  # noqa: E731
        return [(name, list(methods)) for name, methods in groupby(self.methods, key=group)]

    def _title(self, method: str) -> str:
        run = _run(self.methods[method])
        return escape(run[0].title) + _marks(self._shared_marks(method))

    def _shared_marks(self, method: str) -> set[str]:
        return set.intersection(*(set(line.marks) for line in _run(self.methods[method])))

    def _cells(self, method: str) -> list[list[str]]:
        """The cells of a method, each a stack of texts."""
        lines = self.methods[method]
        cells = []
        for column in self.own:  # measured on the first data set where it was
            values = [line.values[column.name] for line in lines if line]
            texts = [cell_texts(value, column, self.layout, self.marks) for value in values]
            measured = next((text for text in texts if text.measured), texts[0])
            published = next((text.published for text in texts if text.published), ())
            cells.append(self._texts(measured._replace(published=[figure._replace(difference="") for figure in published])))
        for line in lines:
            for number, column in enumerate(self.each):
                own = set(line.marks) - self._shared_marks(method) if line is not None and number == 0 else ()
                texts = cell_texts(line.values[column.name], column, self.layout, self.marks) if line else CellTexts()
                cells.append(self._texts(texts, own))
        return cells

    def _texts(self, texts: CellTexts, marks: Iterable[str] = ()) -> list[str]:
        """A cell's texts from the top, as many as `_labels`: best bold, second underlined, the rest in small print."""
        measured = texts.measured or "-"
        measured = {1: rf"\textbf{{{measured}}}", 2: rf"\underline{{{measured}}}"}.get(texts.rank, measured)
        small, published = [escape(texts.interval)], {figure.mark: figure for figure in texts.published}
        for mark in ("", *self.marks.values()):
            figure = published.get(mark, NOTHING)
            small += [figure.text, figure.difference and f"${figure.difference}$"]
        small = (rf"\scriptsize {text}" if text else "" for text in small)
        return [measured + r"$^{\approx}$" * texts.doubtful + _marks([*marks, *texts.marks]), *small]

    @property
    def _labels(self) -> tuple[str, ...]:
        """What stands before the small print."""
        beside = (f"{what}{escape(mark)}" for mark in ("", *self.marks.values()) for what in ("published", "difference"))
        return r"95 \% interval", *beside

    def _stack(self, label: str, cells: Iterable[Sequence[str]]) -> list[str]:
        """The lines of a row of cells; those without a text are left out."""
        figures, *small = zip(*cells, strict=True)
        lines, small_head = [rf"{_row([label, *figures])} \\"], r"\quad\scriptsize "
        for name, texts in zip(self._labels, small, strict=True):
            if any(texts):
                lines.append(rf"{_row([small_head + name, *texts])} \\")
        return lines


def scored(line: "Line") -> bool:
    """Whether a line has a row that was scored."""
    return line.row is not None and line.row.ok


def _run(lines: "Iterable[Line | None]") -> "list[Line]":
    """The lines that say most of a method: those scored, else those run, else all that there are."""
    shown = [line for line in lines if line is not None]
    return [line for line in shown if scored(line)] or [line for line in shown if line.row] or shown


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells)


def _marks(letters: Iterable[str]) -> str:
    return f"$^{{{''.join(sorted(letters))}}}$" if letters else ""
