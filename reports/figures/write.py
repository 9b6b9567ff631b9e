"""Writes the figures of a result folder."""

from dataclasses import dataclass
from pathlib import Path

from reports.figures.figure import FIGURES
from reports.figures.material import materials
from reports.figures.style import encoded, styled
from reports.row_files import RowFiles
from zoo.errors import FAILURES, UsageError, ZooError, one_line
from zoo.lookup import unknown


@dataclass(frozen=True, kw_only=True)
class Written:
    """A figure that was written.

    Attributes:
        name: That it is registered by.
        dataset, split: Of the test set; empty for a figure of all.
        title, caption: Of the figure.
        files: Path by ending, ``"pdf"`` and ``"png"``.
    """

    name: str
    dataset: str
    split: str
    title: str
    caption: str
    files: dict[str, Path]


def figure_names(names=None):
    """All figures, or those named; UsageError where there is no such figure."""
    known = sorted(FIGURES.module_dict)
    for name in names or ():
        if name not in known:
            raise UsageError(unknown("figure", name, known))
    return list(names or known)


def write_figures(rows, store, write, *, protocol="exact", names=None, images=(), data_root=None, tell=print):
    """Write ``report/figures/<name>_<data set>_<split>`` and, of those of all rows, ``<name>``, as PDF and PNG.

    Arguments:
        rows: Rows of the result store.
        store (ResultStore): What is stored behind them.
        write: Function of a path and bytes; the store's atomic one.
        protocol: Whose definition of the metrics.
        names: Which figures; by default all.
        images: Ids of the images that are shown, where a figure shows some; by default the most telling ones.
        data_root: Folder of the data sets; by default that of the run which made the rows.
        tell: Called with a line for each figure, or row of one, that is left out.

    Returns:
        list[Written]: The figures.

    Raises:
        UsageError: There is no such figure.
    """
    names = figure_names(names)
    sets, everything, told = materials(rows, RowFiles(store, data_root), protocol, images)
    for line in [*told, *(f"no image {name} was scored" for name in images if not _scored(sets, name))]:
        tell(line)
    written = []
    for name in names:
        figure = FIGURES.module_dict[name]()
        for material in sets if figure.each_set else [everything]:
            place = "_".join(filter(None, [name, material.dataset, material.split]))
            try:
                files = _drawn(figure, place, material, tell)
            except FAILURES as error:
                tell(f"figure {place} is left out: {one_line(error)}")
                continue
            paths = {ending: store.out / "report" / "figures" / f"{place}.{ending}" for ending in files}
            for ending, data in files.items():
                write(paths[ending], data)
            about = dict(name=name, dataset=material.dataset, split=material.split)
            written.append(Written(**about, title=material.title, caption=figure.caption, files=paths))
    return written


def _scored(sets, image_id):
    """Whether any row is of this image, as far as records are there."""
    for material in sets:
        for row in material.rows:
            try:
                if any(record.id == image_id for record in material.stored.records(row)):
                    return True
            except ZooError:
                continue
    return False


def _drawn(figure, place, material, tell):
    """The files' bytes of one figure, of the rows that have what it needs."""
    rows, lacking = [], {}
    for row in material.rows:
        reason = _lack(figure, material, row)
        if reason is None:
            rows.append(row)
        else:
            lacking.setdefault(reason, {})[row.method] = None
    reasons = "; ".join(f"{', '.join(methods)}: {reason}" for reason, methods in lacking.items())
    if len(rows) < figure.least:
        few = f"it takes {figure.least} rows" if not lacking or figure.least > 1 else ""
        raise ZooError("; ".join(filter(None, [few, reasons])) or "there are no rows")
    if lacking:
        tell(f"figure {place}, without {reasons}")
    with styled():
        return encoded(figure.draw(material.only(rows)), place, figure.caption)


def _lack(figure, material, row):
    """What a row lacks, in one line, or None."""
    try:
        for need in figure.needs:
            need(material, row)
    except ZooError as error:
        return one_line(error)
    return None
