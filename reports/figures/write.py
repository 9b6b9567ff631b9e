"""Draws the figures of a result folder."""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from irsam_zoo.reports.figures.figure import FIGURES
from irsam_zoo.reports.figures.left import Lacking, Left
from irsam_zoo.reports.figures.row_selection import materials
from irsam_zoo.reports.figures.style import encoded, styled
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.results.csv_text import safe_text
from irsam_zoo.zoo.errors import FAILURES, UsageError, ZooError, one_line, visible
from irsam_zoo.zoo.lookup import unknown
from irsam_zoo.zoo.terminal import say

if TYPE_CHECKING:
    from irsam_zoo.reports.figures.figure import ReportFigure
    from irsam_zoo.reports.figures.row_selection import Material
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.store import ResultStore


def figure_names(names: Iterable[str] | None = None) -> list[str]:
    """All figures, or those named; UsageError where there is no such figure."""
    known = sorted(FIGURES.module_dict)
    for name in names or ():
        if name not in known:
            raise UsageError(unknown("figure", name, known))
    return known if names is None else list(names)


def draw_figures(
    rows: "Sequence[Row]",
    store: "ResultStore",
    *,
    protocol: str = "exact",
    names: Iterable[str] | None = None,
    images: Sequence[str] = (),
    data_root: str | Path | None = None,
    tell: Callable[[str], object] = say,
) -> dict[str, bytes | str]:
    """Draw ``figures/<name>_<data set>_<split>`` and, of those of all rows, ``<name>``, as PDF and PNG, with their data as CSV.

    A file that an earlier report left of one of these figures, and that is not drawn any more, is removed.

    Arguments:
        rows: Rows of the result store.
        store (ResultStore): What is stored behind them.
        protocol: Whose definition of the metrics.
        names: Which figures; by default all.
        images: Ids of the images that are shown, where a figure shows some; by default the most telling ones.
        data_root: Folder of the data sets; by default that of the run which made the rows.
        tell: Called with a line for each figure, or row of one, that is left out.

    Returns:
        dict[str, bytes | str]: By path below the report's folder.

    Raises:
        UsageError: There is no such figure.
    """
    names = figure_names(names)
    if not names:
        return {}
    sets, everything, told = materials(rows, RowFiles(store, data_root), protocol, images)
    for line in [*told, *(f"no image {name} was scored" for name in images if not _scored(sets, name))]:
        tell(line)
    drawn, left = {}, Left()
    for name in names:
        kind = FIGURES.module_dict[name]
        shown = sets if kind.each_set else [everything]
        for material in shown:
            place = "_".join(filter(None, [name, material.dataset, material.split]))
            rows, lacking = _rows(kind, material)
            try:
                if len(rows) < kind.least:
                    raise ZooError(f"it takes {kind.least} rows" if rows or kind.least > 1 else "there are no rows")
                figure, chosen = kind(), material.only(rows)
                data = figure.data(chosen)
                with styled():
                    files = encoded(figure.draw(data, chosen), place, figure.caption)
                files = {f"{place}.{ending}": content for ending, content in files.items()} | _csv_files(place, data)
            except FAILURES as error:
                left.out(name, place, len(shown), one_line(error), lacking, nothing=not rows)
                continue
            left.rows(name, place, len(shown), lacking)
            drawn |= {f"figures/{name}": content for name, content in files.items()}
    for line in left.lines():
        tell(line)
    _remove_others(store.out / "report", names, drawn)
    return drawn


def _csv_files(place: str, data: pd.DataFrame | dict[str, pd.DataFrame] | None) -> dict[str, str]:
    """The texts of a figure's tables by the names of their files."""
    tables = {"": data} if isinstance(data, pd.DataFrame) else data or {}
    files = {}
    for part, table in tables.items():
        texts = {name: table[name].map(_safe) for name in table.select_dtypes(exclude="number")}
        files["_".join(filter(None, [place, part])) + ".csv"] = table.assign(**texts).to_csv(index=False, lineterminator="\n")
    return files


def _safe(value: Any) -> Any:
    return safe_text(visible(value)) if isinstance(value, str) else value


def _remove_others(folder: Path, names: Collection[str], drawn: Collection[str]) -> None:
    """Remove the files of these figures that are not drawn now: they are of rows or options of another time."""
    if folder.is_symlink() or (folder / "figures").is_symlink():  # what lies behind a link may be anyone's
        return
    for path in (path for path in folder.glob("figures/*") if path.suffix in (".pdf", ".png", ".csv")):
        known = [name for name in FIGURES.module_dict if f"{path.stem}_".startswith(f"{name}_")]
        if max(known, key=len, default=None) in names and f"figures/{path.name}" not in drawn:
            path.unlink()


def _scored(sets: "Iterable[Material]", image_id: str) -> bool:
    """Whether any row is of this image, as far as records are there."""
    for material in sets:
        for row in material.rows:
            try:
                if any(record.id == image_id for record in material.stored.records(row)):
                    return True
            except ZooError:
                continue
    return False


def _rows(kind: "type[ReportFigure]", material: "Material") -> "tuple[list[Row], Lacking]":
    """The rows that have what a figure needs, and the methods of the others by what they lack."""
    rows, lacking = [], {}
    for row in material.rows:
        reason = _lack(kind, material, row)
        if reason is None:
            rows.append(row)
        else:
            lacking.setdefault(reason, {})[row.method] = None
    return rows, lacking


def _lack(kind: "type[ReportFigure]", material: "Material", row: "Row") -> str | None:
    """What a row lacks, in one line, or None."""
    try:
        for need in kind.needs:
            need(material, row)
    except ZooError as error:
        return one_line(error)
    return None
