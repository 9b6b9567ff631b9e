"""Writes the report of a result folder."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo.reports.audit import audit
from irsam_zoo.reports.cell_texts import PLAIN, Layout
from irsam_zoo.reports.columns import DEFAULT
from irsam_zoo.reports.csv_table import to_csv
from irsam_zoo.reports.html import to_html
from irsam_zoo.reports.latex import to_latex
from irsam_zoo.reports.markdown import to_markdown
from irsam_zoo.reports.table import build_table, table_config
from irsam_zoo.results.stored_rows import StoredRows
from irsam_zoo.zoo.terminal import warn

if TYPE_CHECKING:
    from irsam_zoo.reports.table import Section
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.stored_rows import CountsOf


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


def tables(stored: StoredRows, options: ReportOptions) -> dict[str, str]:
    """Table 1 in every format; in LaTeX, which goes into papers, without what came after it unless the table says so."""
    sections, alone = _sections(stored, options, (False, True))
    formats = {"table1.md": (to_markdown, sections), "table1.tex": (to_latex, alone), "table1.html": (to_html, sections)}
    texts = {name: to_text(shown, options.protocol, options.layout) for name, (to_text, shown) in formats.items()}
    return texts | {"table1.csv": to_csv(sections, options.protocol)}


def table_sections(stored: StoredRows, options: ReportOptions) -> "list[Section]":
    """The `reports.table.Section`s of a result folder, with what further folders hold of its networks."""
    return _sections(stored, options, (False,))[0]


def _sections(stored: StoredRows, options: ReportOptions, alone: Iterable[bool]) -> "list[list[Section]]":
    """The sections with what came after Table 1, or alone: a list of them for each that is asked for."""
    beside = beside_folders(stored, options)
    chosen = {name: getattr(options, name) for name in ("protocol", "columns", "digits", "with_published", "table")}
    chosen |= {"beside": [row for other in beside for row in other.rows], "counts": counts_in([stored, *beside])}
    return [build_table(stored.rows, alone=each, **chosen) for each in alone]


def published_tables(stored: StoredRows, options: ReportOptions) -> dict[str, str]:
    """A table as a repository shows it: Table 1 by its name, another one with its own behind."""
    texts = tables(stored, options)
    end = "" if options.table == ReportOptions.table else f"_{options.table}"
    return {
        f"TABLE1{end}.md": texts["table1.md"],
        **{f"table1{end}.{kind}": texts[f"table1.{kind}"] for kind in ("tex", "csv")},
    }


def beside_folders(stored: StoredRows, options: ReportOptions) -> list[StoredRows]:
    """The further result folders: those of the table, seen from the folder itself, that are there, and those of the options."""
    known = (stored.store.out / folder for folder in table_config(options.table).get("beside", ()))
    folders = [*(folder for folder in known if folder.is_dir()), *options.beside]
    return [StoredRows.read(folder, stored.policy) for folder in folders]


def counts_in(folders: Sequence[StoredRows]) -> "CountsOf":
    """A function of a row of one of several folders to the counts of its images, as `StoredRows.counts` gives them.

    A row's counts are read once.
    """
    place = attrgetter("dataset", "split", "method", "images_sha256")
    owners = {place(row): stored for stored in reversed(folders) for row in stored.rows}
    found = {}

    def counts(row: "Row") -> list[dict[str, Any]] | None:
        if place(row) not in found:
            found[place(row)] = owners.get(place(row), folders[0]).counts(row)
        return found[place(row)]

    return counts


def figures(stored: StoredRows, options: ReportOptions) -> dict[str, bytes | str]:
    """Every figure that can be drawn, as PDF and PNG with its data as CSV; what is left out is told on standard error."""
    from irsam_zoo.reports.figures.write import draw_figures  # not above: matplotlib takes a second, and `run` draws nothing

    return draw_figures(
        stored.rows,
        stored.store,
        protocol=options.protocol,
        names=options.figures,
        images=options.images,
        data_root=options.data_root,
        tell=warn,
    )


def page(stored: StoredRows, options: ReportOptions) -> dict[str, str]:
    """The report as one page."""
    from irsam_zoo.reports.page import page  # as above

    return page(stored, options)


Part = Callable[[StoredRows, ReportOptions], Mapping[str, str | bytes]]
# The parts of a report: each takes `results.stored_rows.StoredRows` and the options, and gives texts or bytes by name of file.
# The page comes last, since it carries what the others wrote.
PARTS: tuple[Part, ...] = (tables, audit, figures, page)


def write_report(
    stored: StoredRows,
    folder: str | Path,
    write: Callable[[Path, str | bytes], object],
    options: ReportOptions,
    parts: Iterable[Part] = PARTS,
) -> list[Path]:
    """Write a report.

    Arguments:
        stored (StoredRows): Rows, and what is stored behind them.
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
