"""Table 1 as one HTML file that needs nothing else."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from irsam_zoo.reports.cell_texts import PLAIN, cell_texts, source_marks, status
from irsam_zoo.reports.groups import GROUPS
from irsam_zoo.reports.markdown import column_head, notes, section_head, section_title

if TYPE_CHECKING:
    from irsam_zoo.reports.cell_texts import Layout
    from irsam_zoo.reports.table import Section

CODE, SUP = re.compile("`([^`]*)`"), re.compile("^&lt;sup&gt;(.)&lt;/sup&gt;")  # as `reports.markdown` marks them
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True)
TEMPLATES.filters["marked"] = lambda text: Markup(CODE.sub(r"<code>\1</code>", SUP.sub(r"<sup>\1</sup>", str(escape(text)))))


def to_html(sections: "Sequence[Section]", protocol: str, layout: "Layout" = PLAIN) -> str:
    """HTML text of the `reports.table.Section`s of one report: a table a data set, its methods in their groups."""
    tables = [_table(section, protocol, layout) for section in sections]
    return TEMPLATES.get_template("table1.html").render(
        heading=sections[0].table if sections else "Table 1", tables=tables, layout=layout
    )


def _table(section: "Section", protocol: str, layout: "Layout") -> dict[str, Any]:
    marks = source_marks([section])
    body = [
        {
            "title": line.title,
            "marks": line.marks,
            "group": GROUPS[line.group],
            "cells": [cell_texts(line.values[column.name], column, layout, marks) for column in section.columns],
            "about": [str(row.n_images), row.threshold or ""] if (row := line.row) and row.n_images else ["", ""],
            "status": status(section, line),
        }
        for line in section.lines
    ]
    return {
        "title": section_title(section),
        "head": section_head(section, protocol),
        "columns": [column_head(column) for column in section.columns],
        "lines": body,
        "notes": notes(section),
    }
