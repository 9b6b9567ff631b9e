"""Table 1 as LaTeX: a fragment for ``\\input`` that needs the packages booktabs and graphicx."""

from itertools import groupby

from reports.table import MARKS, METRICS

ARROWS = {True: r"$\uparrow$", False: r"$\downarrow$"}
SPECIAL = {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}"}


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
    columns = "l" + "rr" + "r" * len(METRICS) * len(sections)
    heads = " & ".join(f"{name}{ARROWS[more]}" for name, (_, _, more) in METRICS.items())
    groups, rules = "", ""
    for number, section in enumerate(sections):
        first = 4 + number * len(METRICS)
        groups += rf" & \multicolumn{{{len(METRICS)}}}{{c}}{{{escape(section.title)}}}"
        rules += rf"\cmidrule(lr){{{first}-{first + len(METRICS) - 1}}}"
    body = "\n\\addlinespace\n".join(_method([lines.get(method) for lines in lines_of]) for method in methods)
    return "\n".join(
        [
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_caption(split, sections, protocol)}}}",
            r"\footnotesize",
            r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rf" & Params (M){ARROWS[False]} & FPS{ARROWS[True]}{groups} \\",
            rules,
            rf"Method & & {(' & ' + heads) * len(sections)} \\",
            r"\midrule",
            body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table*}",
            "",
        ]
    )


def _caption(split, sections, protocol):
    images = ", ".join(f"{escape(s.title)} {s.n_images} images" for s in sections if s.n_images)
    parts = [
        rf"Test lists of the split \texttt{{{escape(split)}}} ({images}), protocol \texttt{{{escape(protocol)}}}.",
        r"IoU, nIoU and $P_d$ in $10^{-2}$, $F_a$ in $10^{-6}$; best bold, second underlined.",
    ]
    if sections[0].source:
        parts.append(f"Small figures: published by {escape(sections[0].source_title)}, and measured minus published.")
    run = [line for section in sections for line in section.lines if line.row and line.row["n_images"]]
    policies = {}
    for line in run:
        policies.setdefault(line.row["threshold"], {})[line.title] = None
    parts += [f"Threshold {escape(policy)}: {escape(', '.join(titles))}." for policy, titles in policies.items()]
    partial = sorted(
        {(row["dataset"], row["n_images"]) for row in (line.row for line in run) if row["n_images"] < row["n_split"]}
    )
    parts += [f"Of {escape(dataset)} only the first {images} images." for dataset, images in partial]
    marks = sorted({mark for section in sections for line in section.lines for mark in line.marks})
    parts += [f"$^{{{mark}}}$ {escape(MARKS[mark])}." for mark in marks]
    return " ".join(parts)


def _method(lines):
    """One method: measured figures, then in small print the published ones and the differences."""
    first = next(line for line in lines if line is not None)
    run = [line for line in lines if line is not None and line.row]
    marks = "".join(sorted({mark for line in run or [first] for mark in line.marks}))
    title = escape(first.title) + (f"$^{{{marks}}}$" if marks else "")
    rows = [[title, _number(_any(lines, "params"), "measured", 2), _number(_any(lines, "fps"), "measured", 1)]]
    rows += [[r"\quad\scriptsize published", *(_small(_number(_any(lines, k), "published", 2)) for k in ("params", "fps"))]]
    rows += [[r"\quad\scriptsize difference", "", ""]]
    for line in lines:
        for name, (_, digits, _) in METRICS.items():
            value = line.values[name] if line else None
            text = _number(value, "measured", digits)
            if value is not None and value.rank:
                text = rf"\textbf{{{text}}}" if value.rank == 1 else rf"\underline{{{text}}}"
            rows[0].append(text)
            rows[1].append(_small(_number(value, "published", digits)))
            rows[2].append(_small(_number(value, "difference", digits)))
    return "\n".join(rf"{' & '.join(row)} \\" for k, row in enumerate(rows) if k == 0 or any(cell for cell in row[1:]))


def _any(lines, attribute):
    """The params or FPS of a method: of the first data set where it was measured, else published."""
    values = [getattr(line, attribute) for line in lines if line is not None]
    return next((value for value in values if value.measured is not None), values[0])


def _number(value, attribute, digits):
    number = None if value is None else getattr(value, attribute)
    if number is None:
        return "-" if attribute == "measured" else ""
    if attribute != "difference":
        return f"{number:.{digits}f}"
    return f"${number:+.{digits}f}$"  # a minus, not a hyphen


def _small(text):
    return rf"\scriptsize {text}" if text else ""
