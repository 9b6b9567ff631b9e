"""The audit of the published tables: which way of cutting and counting gives them, and where they contradict each other."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from irsam_zoo.reports.columns import metric_column
from irsam_zoo.reports.consistency import FIGURES, RARE, contradictions, published_cells, whole_numbers
from irsam_zoo.reports.groups import group_of
from irsam_zoo.reports.markdown import markdown_table
from irsam_zoo.reports.nearest_protocol import SQUARE, best_fraction, distance, ways
from irsam_zoo.reports.published import list_facts, printed_name, sources

if TYPE_CHECKING:
    from irsam_zoo.reports.consistency import Counted, PublishedCell
    from irsam_zoo.reports.nearest_protocol import Way
    from irsam_zoo.reports.report import ReportOptions
    from irsam_zoo.results.stored_rows import StoredRows

HEADS = ["Table", "Method", "Data set", "Published", "Nearest", "gives", "Off by", "Next", "Off by", "One fraction", "Off by"]
FITS, NEAR = 1.05, 1.25  # factors; up to them a way is said to give the cell, or to come near it


def audit(stored: "StoredRows", options: "ReportOptions") -> dict[str, str]:
    """``audit.md`` of stored rows and published tables: the fits from whatever rows are stored, the rest from the tables alone.

    Arguments:
        stored (StoredRows): Rows, and the sweeps of their images.
        options (ReportOptions): Nothing of them changes an audit.

    Returns:
        dict: Its text by the name of its file.
    """
    cells = published_cells()
    parts = ["# Audit of the published tables\n", *_fits(stored, cells), *_contradictions(cells), *_whole_numbers(cells)]
    return {"audit.md": "\n".join(parts)}


def _fits(stored: "StoredRows", cells: "Sequence[PublishedCell]") -> list[str]:
    """For each published cell of a classical method that has rows here, the nearest way to it."""
    rows = {}
    for row in stored.rows:
        if row.ok and row.metrics and not row.own_split and row.metric_size == "native":
            base = (row.key or {}).get("method", {}).get("type", row.method)
            rows.setdefault((base, row.dataset), []).append(row)
    found = {place: [way for row in group for way in ways(row, stored)] for place, group in rows.items()}
    lines = [HEADS]
    without = {}
    for cell in cells:
        if group_of(cell.method, None, ()) != "classical":
            continue
        place = cell.method, cell.dataset
        if place not in found:
            without.setdefault(printed_name(cell.method), {}).setdefault(cell.dataset)
            continue
        first, second = _nearest(found[place], cell)
        fractions = [way for row in rows[place] if (way := best_fraction(row, cell.figures))]
        fraction = min(fractions, key=lambda way: distance(way.figures, cell.figures), default=None)
        line = [sources()[cell.source]["title"], printed_name(cell.method), cell.dataset]
        line += [" / ".join(cell.figures[name] for name in cell.figures), _way(first, cell), _figures(first, cell)]
        line += [_off(first, cell), _way(second, cell), _off(second, cell), _way(fraction, cell), _off(fraction, cell)]
        lines.append(line)
    parts = ["## Which cut, count and list give the classical cells\n"]
    if len(lines) == 1:
        parts.append("No classical method with published figures is stored here.\n")
    else:
        figures = " / ".join(FIGURES)
        parts.append(
            f"Figures: {figures}, where published. Off by: the factor by which ours are off, as a geometric mean over them; "
            f"**up to {FITS}** the cell is taken for explained, up to {NEAR} for near, beyond it no way that is tried gives "
            "it. One fraction: the best of 255 cuts at a fraction of each image's own score range, used or not.\n"
        )
        parts += [markdown_table(lines), *_summary(found, cells)]
    if without:
        absent = (f"{name} ({', '.join(places)})" for name, places in without.items())
        parts.append(f"No rows here: {'; '.join(absent)}.\n")
    return parts


def _summary(found: "Mapping[tuple[str, str], Sequence[Way]]", cells: "Sequence[PublishedCell]") -> Iterator[str]:
    """A line a table: which cuts and lists give most of its cells, whatever the count."""
    for source, about in sources().items():
        here = [cell for cell in cells if cell.source == source and (cell.method, cell.dataset) in found]
        given = Counter()
        for cell in here:
            near = (way for way in found[cell.method, cell.dataset] if distance(way.figures, cell.figures) <= FITS)
            given.update(dict.fromkeys((way.policy, way.split) for way in near).keys())
        most = [f"{policy} on {split} {count}" for (policy, split), count in given.most_common(3)]
        if here:
            yield f"Of the {len(here)} cells of {about['title']} with rows here, explained by: {', '.join(most) or 'none'}.\n"


def _nearest(candidates: "Iterable[Way]", cell: "PublishedCell") -> "tuple[Way, Way | None]":
    """The nearest way and the nearest of those with another cut or list."""
    ordered = sorted(candidates, key=lambda way: distance(way.figures, cell.figures))
    first = ordered[0]
    others = (way for way in ordered if (way.method, way.split, way.policy) != (first.method, first.split, first.policy))
    return first, next(others, None)


def _way(way: "Way | None", cell: "PublishedCell") -> str:
    if way is None:
        return "-"
    variant = f"{way.method}, " if way.method != cell.method else ""
    return f"{variant}{way.policy}, {way.split} ({way.images} images), {way.protocol}"


def _figures(way: "Way", cell: "PublishedCell") -> str:
    figures = {name: way.figures.get(name) for name in cell.figures}
    return " / ".join("-" if value is None else metric_column(name).text(value) for name, value in figures.items())


def _off(way: "Way | None", cell: "PublishedCell") -> str:
    if way is None:
        return "-"
    factor = distance(way.figures, cell.figures)
    return f"**{factor:.3f}**" if factor <= FITS else f"{factor:.2f}{'' if factor <= NEAR else ' (no fit)'}"


def _contradictions(cells: "Sequence[PublishedCell]") -> list[str]:
    parts = ["## Cells that contradict each other, or cannot be\n", "From the published tables alone.\n"]
    parts += [f"- {sentence}" for sentence in contradictions(cells)]
    ratios = []
    for (dataset, split), facts in list_facts().items():
        if split == "all":
            ratios.append(f"{dataset} {SQUARE * facts['images'] / facts['pixels']:.2f}")
    parts.append(
        "- Fa of a code that divides by 512x512 an image, as IRSAM's does, is too small where images are smaller and are not "
        f"enlarged, by a factor of: {', '.join(ratios)}. The table above tries both.\n"
    )
    return parts


def _whole_numbers(cells: "Sequence[PublishedCell]") -> list[str]:
    """Which lists a table's Pd can be of."""
    lines = [["Table", "Methods", "Data set", "irsam", "dnanet", "all images"]]
    groups = {}
    for counted in whole_numbers(cells):
        groups.setdefault((counted.source, counted.family, counted.dataset), []).append(counted)
    for (source, family, dataset), splits in groups.items():
        lines.append([sources()[source]["title"], family, dataset, *map(_counted, splits)])
    text = (
        "A Pd that was counted on a list is a whole number of its targets. How many are, as printed, of how many cells, in "
        "brackets how many would be by chance; then the mean distance from a whole number, in targets, which is 0.25 by chance "
        f"and stays small where digits were changed afterwards. Bold: seldomer than {RARE:g} by chance. Of a row without bold "
        "the lists are not known, or its targets were counted otherwise.\n"
    )
    return ["## Which lists the Pd can be of\n", text, markdown_table(lines)]


def _counted(counted: "Counted") -> str:
    text = f"{counted.fit} of {counted.cells} ({counted.by_chance:.1f}), {counted.off:.2f}"
    return f"**{text}**" if counted.telling else text
