"""Which figures of a column are the best and the second best, and whether their lead over the next is real."""

from irsam_zoo.reports.significance import is_real, paired


def rank(section, counts):
    """Note the rank of the honest figures over the images of a `reports.table.Section`, and whether their lead is real.

    Arguments:
        section (Section): With its lines.
        counts: Function of a row to the counts of its images, or None.
    """
    stored = {}

    def test(column, a, b):
        for line in (a, b):
            if line.method not in stored:
                stored[line.method] = counts(line.row)
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
                value.lead = all(map(is_real, tests)) if tests and None not in tests else None


def _standing(section, column):
    """The lines that may be ranked, best first; those whose figures are printed alike are one list."""
    groups = {}
    for line in section.lines:
        measured = line.values[column.name].measured
        if line.complete and section.deviation(line) is None and measured is not None:
            groups.setdefault(round(measured, column.digits), []).append(line)
    return [groups[level] for level in sorted(groups, reverse=column.better == "higher")]
