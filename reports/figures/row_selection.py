"""The rows that a figure is drawn of, in the order and with the names of the tables."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from irsam_zoo.reports.figures.style import Look, look
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.reports.table import build_table
from irsam_zoo.reports.table_line import MARKS, Line
from irsam_zoo.results.row import Row
from irsam_zoo.zoo.schedules import SCHEDULES

FEW = 3  # networks that small print names
TOLD = "OTU"  # of the table's marks, those of rows that do not compare with the others


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a figure is drawn of.

    Attributes:
        rows: Each with metrics of the protocol; those of one test set are of the same images.
        title: Of the test set, and how many of its images were scored; empty where the rows are of several.
        dataset, split: Of the test set, or empty.
        protocol: Whose definition of the metrics.
        images: Ids that the user chose to be shown; empty where a rule is to choose them.
        stored: What is stored behind the rows.
        lines: The table's lines by data set, split and method.
        methods: All methods of the folder, in the order of the tables.
    """

    rows: tuple[Row, ...]
    title: str
    dataset: str
    split: str
    protocol: str
    images: tuple[str, ...]
    stored: RowFiles
    lines: dict[tuple[str, str, str], Line]
    methods: tuple[str, ...]

    def only(self, rows: Iterable[Row]) -> "Material":
        """The same with some of the rows."""
        return replace(self, rows=tuple(rows))

    def label(self, row: Row) -> str:
        """The method's title, with the marks that say that it does not compare."""
        marks = self._marks(row)
        return self._line(row).title.replace("$", r"\$") + (f"$^{{{marks}}}$" if marks else "")

    def look(self, row: Row) -> Look:
        """Colour, dashes and marker of the row's method, the same in all figures of the folder."""
        return look(self.methods.index(row.method))

    @property
    def note(self) -> str:
        """What is to be known of the rows: their marks, and networks that were not trained by a published recipe."""
        told = [f"{mark}: {MARKS[mark]}" for mark in sorted({mark for row in self.rows for mark in self._marks(row)})]
        trained = {}
        for line in map(self._line, self.rows):
            if line.weights:
                trained.setdefault(line.schedule, {})[line.title] = None
        networks = len(dict.fromkeys(title for titles in trained.values() for title in titles))
        for schedule, titles in trained.items():
            if schedule and schedule.partition(",")[0] != SCHEDULES[0]:
                few = ", ".join(titles) if len(titles) <= FEW else f"{len(titles)} of {networks} networks"
                told.append(f"trained by schedule {schedule}: {few if len(titles) < networks else 'all networks'}")
        return "; ".join(told)

    def _line(self, row: Row) -> Line:
        return self.lines[row.dataset, row.split, row.method]

    def _marks(self, row: Row) -> str:
        return "".join(mark for mark in self._line(row).marks if mark in TOLD)


def materials(
    rows: Sequence[Row], stored: RowFiles, protocol: str, images: Iterable[str] = ()
) -> tuple[list[Material], Material, list[str]]:
    """The material of each test set, and that of all together.

    Arguments:
        rows: Rows of the result store.
        stored (RowFiles): What is stored behind them.
        protocol: Whose metrics.
        images: Ids to be shown.

    Returns:
        tuple: The list of `Material`s by test set, that of all, and what the user is to be told of rows left out, in lines.
    """
    sections = build_table(rows, protocol=protocol, columns=())
    found = {(section.dataset, section.split): [line for line in section.lines if line.row] for section in sections}
    lines = {(*place, line.method): line for place, inside in found.items() for line in inside}
    methods = tuple(dict.fromkeys(line.method for section in sections for line in section.lines if line.row))
    common: dict[str, Any] = dict(protocol=protocol, images=tuple(images), stored=stored, lines=lines, methods=methods)
    sets, told = [], []
    for section in sections:
        kept, reasons = _of_same_images((line.row for line in found[section.dataset, section.split] if line.row), protocol)
        place = f"{section.title} ({section.split})" if section.has_split else section.title
        told += [
            f"figures of {section.title} ({section.split}), without {', '.join(names)}: {reason}"
            for reason, names in reasons.items()
        ]
        if kept:
            scored, listed = kept[0].n_images, kept[0].n_split
            title = place if listed in (scored, None) else f"{place}, first {scored} of {listed} images"
            sets.append(Material(rows=kept, title=title, dataset=section.dataset, split=section.split, **common))
    whole = tuple(row for material in sets for row in material.rows)
    return sets, Material(rows=whole, title="", dataset="", split="", **common), told


def _of_same_images(rows: Iterable[Row], protocol: str) -> tuple[tuple[Row, ...], dict[str, list[str]]]:
    """The rows over the images that most are of, and the names of the others by the reason."""
    reasons, scored = {}, []
    for row in rows:
        reason = str(row.status) if not row.ok else None if protocol in row.metrics else f"no metrics of protocol {protocol}"
        if reason:
            reasons.setdefault(reason, []).append(row.method)
        else:
            scored.append(row)
    if not scored:
        return (), reasons
    images = Counter((row.n_images, row.fingerprint) for row in scored).most_common(1)[0][0]
    for row in scored:
        if not _agree(images, row):
            reasons.setdefault("other images than most rows", []).append(row.method)
    return tuple(row for row in scored if _agree(images, row)), reasons


def _agree(images: tuple[int, str | None], row: Row) -> bool:
    """Whether a row is of these images, as far as that is known."""
    number, fingerprint = images
    return row.n_images == number and (None in (fingerprint, row.fingerprint) or row.fingerprint == fingerprint)
