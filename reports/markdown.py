"""Table 1 as Markdown: one table a data set, the published number and the difference in each cell."""

from reports.columns import units
from reports.table import MARKS
from results.row import Status

ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}


def to_markdown(sections, protocol):
    """Markdown text of the `reports.table.Section`s of one report."""
    parts = ["# Table 1\n"]
    if not sections:
        parts.append("No results are stored here yet.\n")
    for section in sections:
        parts += [_head(section, protocol), _table(section), _legend(section)]
    return "\n".join(parts)


def _head(section, protocol):
    images = f"{section.n_images} test images" if section.n_images else "not run"
    own = " (own list)" if section.own_list else ""
    text = f"## {section.title}, split `{section.split}`{own}, {images}\n\nProtocol `{protocol}`; {units(section.columns)}."
    if section.source:
        text += f" In brackets: published by {section.source_title}, "
        size = section.published_size
        text += "and measured minus published." if size == "native" else f"at {size} px: no difference is taken across sizes."
    elif section.dataset == "synthetic":
        text += " Images of the seeded generator: they compare programs, not methods, and have no published numbers."
    return text + "\n"


def _table(section):
    columns = section.columns
    heads = ["Method", *(column.head + ("" if column.of_method else ARROWS[column.better]) for column in columns)]
    heads += ["Images", "Threshold", "Status"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for line in section.lines:
        row = line.row
        marks = f" <sup>{line.marks}</sup>" if line.marks else ""
        cells = [line.title + marks, *(_cell(line.values[column.name], column) for column in columns)]
        cells += [str(row.n_images), row.threshold] if row and row.n_images else ["", ""]
        cells.append(_status(section, line))
        lines.append(f"| {' | '.join(_escape(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _escape(text):
    return " ".join(text.split()).replace("|", "\\|")


def _cell(value, column):
    """Measured, then in brackets published and the difference; best bold, second underlined."""
    text = "" if value.measured is None else column.text(value.measured)
    text = {1: f"**{text}**", 2: f"<u>{text}</u>"}.get(value.rank, text)
    if value.printed is None:
        return text or "-"
    difference = "" if value.difference is None else f", {column.text(value.difference, '+')}"
    return f"{text} ({value.printed}{difference})".lstrip()


def _status(section, line):
    if line.row is None:
        return "not run"
    if not line.row.ok:
        return f"{line.row.status}: {line.row.reason}"
    notes = [f"{text} ({count} images)" for text, count in line.row.notes.items()]
    size = f"metrics at {line.row.metric_size}" if line.row.metric_size != "native" else None
    return "; ".join([Status.OK, *filter(None, [section.deviation(line), size, line.training]), *notes])


def _legend(section):
    used = sorted({mark for line in section.lines for mark in line.marks})
    return "\n".join([*(f"<sup>{mark}</sup> {MARKS[mark]}.  " for mark in used), ""])
