"""Writes the report of a result folder."""

from dataclasses import dataclass
from pathlib import Path

from reports.audit import audit
from reports.cells import PLAIN, Layout
from reports.columns import DEFAULT
from reports.csv_table import to_csv
from reports.html import to_html
from reports.latex import to_latex
from reports.markdown import to_markdown
from reports.table import build_table
from zoo.terminal import warn


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What a report shows.

    Attributes:
        protocol: Whose definition of the metrics.
        columns: Names of `reports.columns`.
        digits: Behind the point, in place of the columns' own.
        layout: Of the tables.
        with_published: Show also the published methods that the package does not have.
        table: Name of a configuration in ``configs/tables/``.
        figures: Names of those to draw, or None for all.
        images: Ids of the images that figures show; by default the most telling ones.
        data_root: Folder of the data sets, whose images are shown; by default that of the run which made the rows.
    """

    protocol: str = "exact"
    columns: tuple[str, ...] = DEFAULT
    digits: int | None = None
    layout: Layout = PLAIN
    with_published: bool = False
    table: str = "table1"
    figures: tuple[str, ...] | None = None
    images: tuple[str, ...] = ()
    data_root: str | None = None


def tables(stored, options):
    """Table 1 in every format; in LaTeX, which goes into papers, without what came after it unless the table says so."""
    chosen = {name: getattr(options, name) for name in ("protocol", "columns", "digits", "with_published", "table")}
    sections = build_table(stored.rows, counts=stored.counts, **chosen)
    alone = build_table(stored.rows, counts=stored.counts, alone=True, **chosen)
    formats = {"table1.md": (to_markdown, sections), "table1.tex": (to_latex, alone), "table1.html": (to_html, sections)}
    texts = {name: to_text(shown, options.protocol, options.layout) for name, (to_text, shown) in formats.items()}
    return texts | {"table1.csv": to_csv(sections, options.protocol)}


def published_tables(stored, options):
    """Table 1 as a repository shows it."""
    texts = tables(stored, options)
    return {"TABLE1.md": texts["table1.md"], "table1.tex": texts["table1.tex"], "table1.csv": texts["table1.csv"]}


def figures(stored, options):
    """Every figure that can be drawn, as PDF and PNG; what is left out is told on standard error."""
    from reports.figures.write import draw_figures  # not above: matplotlib takes a second, and `run` draws nothing

    chosen = dict(protocol=options.protocol, names=options.figures, images=options.images, data_root=options.data_root)
    return draw_figures(stored.rows, stored.store, **chosen, tell=warn)


def page(stored, options):
    """The report as one page."""
    from reports.page import page  # as above

    return page(stored, options)


# The parts of a report: each takes an `engine.stored.Stored` and the options, and gives texts or bytes by name of file.
# The page comes last, since it carries what the others wrote.
PARTS = (tables, audit, figures, page)


def write_report(stored, folder, write, options, parts=PARTS):
    """Write a report.

    Arguments:
        stored (Stored): Rows, and what is stored behind them.
        folder: Where the files go.
        write: Function of a path and a text or bytes; the store's atomic one.
        options (ReportOptions): What it shows.
        parts: Of `PARTS`.

    Returns:
        list[Path]: The files.
    """
    paths = []
    for part in parts:
        for name, content in part(stored, options).items():
            write(Path(folder) / name, content)
            paths.append(Path(folder) / name)
    return paths
