"""Writes the report of a result folder."""

from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from engine.stored import Stored
from reports.audit import audit
from reports.cells import PLAIN, Layout
from reports.columns import DEFAULT
from reports.csv_table import to_csv
from reports.html import to_html
from reports.latex import to_latex
from reports.markdown import to_markdown
from reports.table import build_table, table_config
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
        beside: Further result folders, whose rows may take the place of a network's, besides those that the table names.
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
    beside: tuple[str, ...] = ()
    figures: tuple[str, ...] | None = None
    images: tuple[str, ...] = ()
    data_root: str | None = None


def tables(stored, options):
    """Table 1 in every format; in LaTeX, which goes into papers, without what came after it unless the table says so."""
    sections, alone = (table_sections(stored, options, alone=alone) for alone in (False, True))
    formats = {"table1.md": (to_markdown, sections), "table1.tex": (to_latex, alone), "table1.html": (to_html, sections)}
    texts = {name: to_text(shown, options.protocol, options.layout) for name, (to_text, shown) in formats.items()}
    return texts | {"table1.csv": to_csv(sections, options.protocol)}


def table_sections(stored, options, alone=False):
    """The `reports.table.Section`s of a result folder, with what further folders hold of its networks."""
    beside = _beside(stored, options)
    chosen = {name: getattr(options, name) for name in ("protocol", "columns", "digits", "with_published", "table")}
    return build_table(
        stored.rows,
        beside=[row for other in beside for row in other.rows],
        counts=partial(_counts, [stored, *beside]),
        alone=alone,
        **chosen,
    )


def published_tables(stored, options):
    """A table as a repository shows it: Table 1 by its name, another one with its own behind."""
    texts = tables(stored, options)
    end = "" if options.table == ReportOptions.table else f"_{options.table}"
    return {
        f"TABLE1{end}.md": texts["table1.md"],
        **{f"table1{end}.{kind}": texts[f"table1.{kind}"] for kind in ("tex", "csv")},
    }


def _beside(stored, options):
    """The further result folders: those of the table, seen from the folder itself, that are there, and those of the options."""
    known = (stored.store.out / folder for folder in table_config(options.table).get("beside", ()))
    folders = [*(folder for folder in known if folder.is_dir()), *options.beside]
    return [Stored.read(folder, stored.policy) for folder in folders]


def _counts(folders, row):
    """The counts of each image of a row of one of several folders, as `engine.stored.Stored.counts` gives them."""
    place = attrgetter("dataset", "split", "method", "images_sha256")
    owner = next((stored for stored in folders if any(place(own) == place(row) for own in stored.rows)), folders[0])
    return owner.counts(row)


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
