"""The tables of every data set, protocol and policy as plain data for the page."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irsam_zoo.metrics import PROTOCOLS
from irsam_zoo.reports.cell_texts import PLAIN, cell_texts, source_marks
from irsam_zoo.reports.columns import columns_named, known_columns, units
from irsam_zoo.reports.groups import GROUPS
from irsam_zoo.reports.markdown import column_head, section_source
from irsam_zoo.reports.page.recut_tables import AS_RUN
from irsam_zoo.reports.page.row_details import about
from irsam_zoo.reports.report import counts_in
from irsam_zoo.reports.table import build_table
from irsam_zoo.results.recut import SWEPT

if TYPE_CHECKING:
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.report import ReportOptions
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Line, Value
    from irsam_zoo.results.stored_rows import StoredRows


def page_tables(
    cuts: "Mapping[str, StoredRows]",
    manifests: Sequence[Mapping[str, Any]],
    options: "ReportOptions",
    beside: "Sequence[Mapping[str, StoredRows]]" = (),
) -> "tuple[dict[str, Any], list[Section]]":
    """Everything that the page's table shows.

    Arguments:
        cuts (dict): From `reports.page.recut_tables.page_cuts`.
        manifests: What the result folder says of its runs.
        options (reports.report.ReportOptions): Its columns are shown at first; the reader can choose any other.
        beside: Those of further folders, whose rows take places in the table as `reports.stand_in` says.

    Returns:
        tuple: Plain data for the page, and the `reports.table.Section`s of the rows as they were run.
    """
    rows = cuts[AS_RUN].rows
    columns = columns_named(known_columns(rows), rows, options.digits)
    shown = {column.name for column in columns_named(options.columns, rows)}
    chosen = {name: getattr(options, name) for name in ("digits", "with_published", "table")}
    chosen["columns"] = [column.name for column in columns]
    views = {}
    for policy, cut in cuts.items():
        others = [each[policy] for each in beside]
        chosen |= {"beside": [row for other in others for row in other.rows], "counts": counts_in([cut, *others])}
        if policy == AS_RUN:
            as_run = build_table(cut.rows, **chosen)
        for protocol in PROTOCOLS if policy == AS_RUN else SWEPT:
            sections = build_table(cut.rows, protocol=protocol, **chosen)
            views.setdefault(policy, {})[protocol] = [_view(section) for section in sections]
    data = {
        "columns": [_column(column, column.name in shown) for column in columns],
        "protocols": list(PROTOCOLS),
        "groups": GROUPS,
        "sections": [_section(section, manifests) for section in as_run],
        "views": views,
    }
    return data, as_run


def _column(column: "Column", shown: bool) -> dict[str, Any]:
    unit = units([column]).rpartition(" in ")[2]
    heads = {"head": column.head, "arrow": column_head(column), "title": column.title or column.name, "unit": unit}
    return {"name": column.name, **heads, "better": column.better, "ofMethod": column.of_method, "shown": shown}


def _section(section: "Section", manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "title": section.title,
        "dataset": section.dataset,
        "split": section.list_title.replace("`", ""),
        "images": section.n_images,
        "source": section_source(section),
        "lines": [about(line, manifests) for line in section.lines],
    }


def _view(section: "Section") -> dict[str, Any]:
    """What depends on protocol and policy: columns without tests of leads, and of each line its marks, remarks and figures."""
    sources = source_marks([section])
    lines = [
        {
            "marks": line.marks,
            "cut": line.row and line.row.threshold,
            "problem": _problem(line),
            "remark": section.deviation(line),
            "figures": [_figure(column, line.values[column.name], sources) for column in section.columns],
        }
        for line in section.lines
    ]
    return {"untested": section.untested, "lines": lines}


def _problem(line: "Line") -> str | None:
    """What came of a row that is not ok, and why; None for the others."""
    row = line.row
    return None if row is None or row.ok else ": ".join(filter(None, [row.status, row.reason]))


def _figure(column: "Column", value: "Value", sources: Mapping[str, str]) -> list[Any] | None:
    """A list of the number to sort by, low and high end of the interval, and `CellTexts` without the interval."""
    if value.measured is None and not value.published:
        return None
    texts = cell_texts(value, column, PLAIN, sources)
    number = None if value.measured is None else float(f"{value.measured:.7g}")
    ends = ["" if end is None else column.text(end) for end in (value.low, value.high)]
    return [number, *ends, texts.measured, texts.published, texts.rank, texts.doubtful, texts.marks]
