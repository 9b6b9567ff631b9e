"""What published tables say of themselves and of each other, without a measurement: digits that cannot be, or are copies."""

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from irsam_zoo.reports.groups import group_of
from irsam_zoo.reports.published import list_facts, printed_name, published, sources

FIGURES = ("IoU", "nIoU", "Pd", "Fa")
ALIKE = 0.02  # relative; within it the IoU and the Pd of two tables are taken for one result
RARE = 1e-3
APART = 1.5  # from this factor on, two Fa are not


class PublishedCell(NamedTuple):
    """The printed figures of one method on one data set."""

    source: str
    method: str
    dataset: str
    figures: dict[str, str]


class Counted(NamedTuple):
    """How well the Pd of a group of cells are whole numbers of targets of a list.

    Attributes:
        source, dataset, family: Of the group.
        split: Of the list, which holds `targets`.
        cells: How many there are.
        fit: How many are such a number, printed to their digits, and `by_chance` how many would be.
        off: Mean distance to the next whole number of targets: 0.25 by chance.
    """

    source: str
    dataset: str
    family: str
    split: str
    targets: int
    cells: int
    fit: int
    by_chance: float
    off: float

    @property
    def telling(self) -> bool:
        """Whether chance gives so many fits, or so small a distance, in less than `RARE` of cases."""
        below = sum(math.exp(-self.by_chance) * self.by_chance**k / math.factorial(k) for k in range(self.fit))  # Poisson's
        deviation = (self.off - 0.25) * math.sqrt(48 * self.cells)  # the variance of one distance is 1/48
        return min(1 - below, math.erfc(-deviation / math.sqrt(2)) / 2) < RARE


def published_cells() -> list[PublishedCell]:
    """Every `PublishedCell`, in the order of the tables."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for source in sources():
        for (method, dataset, metric), text in published(source).items():
            if metric in FIGURES and dataset:
                found.setdefault((source, method, dataset), {})[metric] = text
    return [PublishedCell(*place, figures) for place, figures in found.items()]


def contradictions(cells: Sequence[PublishedCell]) -> Iterator[str]:
    """A sentence on each pair of cells that cannot both have been measured, and on each cell that cannot."""
    for cell in cells:
        for other in cells:
            if (cell.method, cell.dataset) == (other.method, other.dataset) and cell.source < other.source:
                yield from _between_tables(cell, other)
    for cell, other in combinations(cells, 2):
        if (cell.source, cell.dataset) == (other.source, other.dataset):
            yield from _within_a_table(cell, other)
    for cell in cells:
        least = 100 / max(facts["targets"] for (dataset, _), facts in list_facts().items() if dataset == cell.dataset)
        if 0 < float(cell.figures["Pd"]) < least:
            yield f"{_name(cell)}: Pd {cell.figures['Pd']} is less than one target of the whole set, {least:.3f}."


def whole_numbers(cells: Iterable[PublishedCell]) -> Iterator[Counted]:
    """A `Counted` a table, data set, family and list.

    A Pd that was counted on a list is a whole number of its targets; one of another list is by chance alone, the seldomer the
    more digits are printed. Where digits were changed afterwards, it is still near one.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for cell in cells:
        groups.setdefault((cell.source, cell.dataset, group_of(cell.method, None, ())), []).append(cell.figures["Pd"])
    for place, texts in groups.items():
        for (dataset, split), facts in list_facts().items():
            if dataset == place[1]:
                numbers = [Decimal(text) * facts["targets"] / 100 for text in texts]
                room = [_half(text) * facts["targets"] / 100 for text in texts]
                off = [abs(number - round(number)) for number in numbers]
                fit = sum(distance <= slack for distance, slack in zip(off, room, strict=True))
                chance = sum(min(1.0, 2 * float(slack)) for slack in room)
                yield Counted(*place, split, facts["targets"], len(texts), fit, chance, float(sum(off)) / len(off))


def same_digits(a: str, b: str) -> bool:
    """Whether two printed figures are one number, the one of more digits rounded to those of the other."""
    return abs(Decimal(a) - Decimal(b)) <= max(_half(a), _half(b))


def _between_tables(cell: PublishedCell, other: PublishedCell) -> Iterator[str]:
    """Figures of one method in two tables: equal to the digit, the same digits at another point, or Fa alone far apart."""
    common = [figure for figure in cell.figures if figure in other.figures]
    equal = [figure for figure in common if same_digits(cell.figures[figure], other.figures[figure])]
    where = f"{_name(cell)} and {sources()[other.source]['title']}"
    lists = {sources()[one.source]["split"] for one in (cell, other)}
    if len(equal) >= 2 and len(lists) > 1:
        digits = ", ".join(f"{figure} {cell.figures[figure]}" for figure in equal)
        yield f"{where}: equal to the digit on different lists: {digits}."
    for figure in common:
        a, b = cell.figures[figure], other.figures[figure]
        for power in (-3, -2, -1, 1, 2, 3):
            if same_digits(a, str(Decimal(b).scaleb(power))):
                yield f"{where}: {figure} {a} and {b} are the same digits, a factor of 10^{abs(power)} apart."
                return
    alike = all(math.isclose(float(cell.figures[f]), float(other.figures[f]), rel_tol=ALIKE) for f in ("IoU", "Pd"))
    a, b = (float(one.figures["Fa"]) for one in (cell, other))
    if alike and max(a, b) > APART * min(a, b):
        factor = max(a, b) / min(a, b)
        yield f"{where}: IoU and Pd agree within {ALIKE:.0%}, Fa {a:g} and {b:g} are a factor of {factor:.1f} apart."


def _within_a_table(cell: PublishedCell, other: PublishedCell) -> Iterator[str]:
    """Two methods with the same Fa and another same figure."""
    equal = [figure for figure, text in cell.figures.items() if other.figures.get(figure) == text]
    if "Fa" in equal and len(equal) >= 2:
        digits = ", ".join(f"{figure} {cell.figures[figure]}" for figure in equal)
        yield f"{_name(cell)}: {digits} are also those of {printed_name(other.method)}."


def _name(cell: PublishedCell) -> str:
    return f"{printed_name(cell.method)} on {cell.dataset}, {sources()[cell.source]['title']}"


def _half(text: str) -> Decimal:
    """Half a unit of the last printed digit."""
    return Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)) / 2
