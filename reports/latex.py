"""Table 1 as LaTeX: a fragment for ``\\input`` that needs the packages booktabs and graphicx."""

import math
from itertools import groupby

from reports.columns import units
from reports.table import MARKS, Value

ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", None: ""}
SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}",
           "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
           "|": r"\textbar{}", "[": "{[}"}  # fmt: skip


def to_latex(sections, protocol):
    """LaTeX text: one ``table*`` a split, all its data sets side by side."""
    parts = ["% Needs \\usepackage{booktabs,graphicx}.\n"]
    for split, group in groupby(sections, key=lambda section: section.split):
        parts.append(_table(split, list(group), protocol))
    return "\n".join(parts)


def escape(text):
    """Text with LaTeX's special characters made plain."""
    return "".join(SPECIAL.get(character, character) for character in text)


def _table(split, sections, protocol):
    lines_of = [{line.method: line for line in section.lines} for section in sections]
    methods = list(dict.fromkeys(line.method for section in sections for line in section.lines))
    common, each = _split_columns(sections)
    heads = [escape(column.head) + ARROWS[column.better] for column in (*common, *each)]
    groups, rules = "", ""
    for number, section in enumerate(sections if each else ()):
        first = 2 + len(common) + number * len(each)
        groups += rf" & \multicolumn{{{len(each)}}}{{c}}{{{escape(section.title)}}}"
        rules += rf"\cmidrule(lr){{{first}-{first + len(each) - 1}}}"
    body = "\n\\addlinespace\n".join(_method([lines.get(method) for lines in lines_of], common, each) for method in methods)
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_caption(split, sections, protocol)}}}",
            r"\footnotesize",
            r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * (len(common) + len(each) * len(sections))}}}",
            r"\toprule",
            rf"{' & '.join(['', *heads[: len(common)]])}{groups} \\",
            rules,
            rf"{' & '.join(['Method', *[''] * len(common), *heads[len(common) :] * len(sections)])} \\",
            r"\midrule",
            body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table*}",
            "",
        ]
    )


def _caption(split, sections, protocol):
    images = (f"{s.title} {s.n_images} images{', own list' if s.own_list else ''}" for s in sections if s.n_images)
    parts = [
        rf"Test lists of the split \texttt{{{escape(split)}}} ({escape('; '.join(images))}), "
        rf"protocol \texttt{{{escape(protocol)}}}.",
        "; ".join(filter(None, [_units(sections[0].columns), "best bold, second underlined."])),
    ]
    source = next((section.source_title for section in sections if section.source), None)
    if source:
        parts.append(f"Small figures: published by {escape(source)}, and measured minus published.")
        parts += [
            f"Those of {escape(s.title)} are at {s.published_size} px: no difference is taken across sizes."
            for s in sections
            if s.source and s.published_size != "native"
        ]
    notes = [f"Threshold {policy}: {who}." for policy, who in _who(sections, lambda line: line.row.threshold).items()]
    training = "; ".join(f"{who} {text}" for text, who in _who(sections, lambda line: line.training).items())
    notes += [f"Weights: {training}."] if training else []
    for section in sections:
        notes += _exceptions(section)
    parts += [escape(note) for note in [*notes, *_speed_notes(sections)]]
    marks = sorted({mark for section in sections for line in section.lines for mark in line.marks})
    parts += [f"$^{{{mark}}}$ {escape(MARKS[mark])}." for mark in marks]
    return " ".join(parts)


def _units(columns):
    return units(
        columns,
        name=lambda column: column.symbol or escape(column.title or column.name),
        unit=lambda unit: f"$10^{{{round(math.log10(unit))}}}$",
    )


def _split_columns(sections):
    """The columns that a method has once, and those that it has for each data set."""
    columns = sections[0].columns
    return [column for column in columns if column.of_method], [column for column in columns if not column.of_method]


def _who(sections, text_of):
    """Texts about scored methods -> the methods, each with its data sets where not all of them have the same text."""
    places = {}
    for section in sections:
        for line in section.lines:
            if _scored(line):
                places.setdefault((line.method, line.title), {}).setdefault(text_of(line), []).append(section.title)
    groups = {}
    for (_, title), texts in places.items():
        for text, names in texts.items():
            groups.setdefault(text, []).append(f"{title} ({', '.join(names)})" if len(texts) > 1 else title)
    return {text: ", ".join(titles) for text, titles in groups.items() if text}


def _scored(line):
    return line.row is not None and line.row.ok


def _exceptions(section):
    """Sentences about the rows of a data set that failed or do not cover the images of its head."""
    groups = {}
    for line in section.lines:
        if line.row is not None:
            text = section.deviation(line) if _scored(line) else line.row.status
            groups.setdefault(text, []).append(line.title)
    for text, titles in groups.items():
        if text:
            yield f"{section.title}, {text}: {', '.join(titles)}." if len(groups) > 1 else f"{section.title}: {text}."


def _speed_notes(sections):
    """Sentences that say on which data set the figures of speed in the table were measured."""
    names = [column.name for column in _split_columns(sections)[0] if not column.comparable]
    timed = {}
    for section in sections:
        for line in section.lines:
            if any(line.values[name].measured is not None for name in names):
                timed.setdefault(line.method, (section.title, line.title))
    groups = {}
    for place, title in timed.values():
        groups.setdefault(place, []).append(title)
    for place, titles in groups.items():
        yield f"{' and '.join(names)} measured on {place}{': ' + ', '.join(titles) if len(groups) > 1 else ''}."


def _method(lines, common, each):
    """One method: measured figures, then in small print the published ones and the differences."""
    shown = [line for line in lines if line is not None]
    run = [line for line in shown if _scored(line)] or [line for line in shown if line.row] or shown
    marks = set.intersection(*(set(line.marks) for line in run))
    rows = [[escape(run[0].title) + _marks(marks)], [r"\quad\scriptsize published"], [r"\quad\scriptsize difference"]]
    for column in common:
        value = _any(lines, column.name)
        rows[0].append(_measured(value, column))
        rows[1].append(_small(value.printed))
        rows[2].append("")
    for line in lines:
        for number, column in enumerate(each):
            value = line.values[column.name] if line else Value()
            own = _marks(set(line.marks) - marks) if line is not None and number == 0 else ""
            rows[0].append(_measured(value, column) + own)
            rows[1].append(_small(value.printed))
            rows[2].append(_small(None if value.difference is None else f"${column.text(value.difference, '+')}$"))
    return "\n".join(rf"{' & '.join(row)} \\" for k, row in enumerate(rows) if k == 0 or any(cell for cell in row[1:]))


def _marks(letters):
    return f"$^{{{''.join(sorted(letters))}}}$" if letters else ""


def _any(lines, name):
    """A method's own figure: measured on the first data set where it was, and the published one."""
    values = [line.values[name] for line in lines if line is not None]
    measured = next((value.measured for value in values if value.measured is not None), None)
    return Value(measured, printed=next((value.printed for value in values if value.printed), None))


def _measured(value, column):
    """A measured figure; best bold, second underlined."""
    if value.measured is None:
        return "-"
    text = column.text(value.measured)
    return {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(value.rank, text)


def _small(text):
    return rf"\scriptsize {text}" if text else ""
