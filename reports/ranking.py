"""Which figures of a column are the best and the second best, and whether their lead over the next is real."""

from typing import TYPE_CHECKING

from irsam_zoo.reports.significance import Tested, is_real, paired

if TYPE_CHECKING:
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Line
    from irsam_zoo.results.stored_rows import CountsOf


def rank(section: "Section", counts: "CountsOf") -> None:
    """Note the rank of the honest figures over the images of a `reports.table.Section`, and whether their lead is real.

    Arguments:
        section (Section): With its lines.
        counts: Function of a row to the counts of its images, or None.
    """
    stored = {}

    def test(column: "Column", a: "Line", b: "Line") -> Tested | None:
        for line in (a, b):
            if line.method not in stored:
                stored[line.method] = line.row and counts(line.row)
        return paired(stored[a.method], stored[b.method], section.protocol, column.name)

    for column in section.columns:
        if not column.better or column.of_method:
            continue
        standing = _standing(section, column)
        for number, lines in enumerate(standing[:2], start=1):
            for line in lines:
                value = line.values[column.name]
                value.rank = number
                rivals = standing[number] if len(standing) > number else []
                tests = [test(column, line, rival) for rival in rivals]
                known = [found for found in tests if found]
                value.lead = all(map(is_real, known)) if known and len(known) == len(tests) else None


def _standing(section: "Section", column: "Column") -> "list[list[Line]]":
    """The lines that may be ranked, best first; those whose figures are printed alike are one list."""
    groups = {}
    for line in section.lines:
        measured = line.values[column.name].measured
        if line.complete and section.deviation(line) is None and measured is not None:
            groups.setdefault(round(measured, column.digits), []).append(line)
    return [groups[level] for level in sorted(groups, reverse=column.better == "higher")]
