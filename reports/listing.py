"""Plain-text listings for the terminal."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irsam_zoo.datasets import FolderDataset, build_dataset, list_datasets
from irsam_zoo.datasets.catalogue import dataset_class
from irsam_zoo.reports.columns import DEFAULT, columns_named, units
from irsam_zoo.reports.table_line import MARKS
from irsam_zoo.zoo import UsageError, list_methods
from irsam_zoo.zoo.errors import FAILURES, one_line, visible
from irsam_zoo.zoo.index import facts_of
from irsam_zoo.zoo.weights.find import find_checkpoint

if TYPE_CHECKING:
    from irsam_zoo.metrics.typing import PairedDifference
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.results.paired import Difference
    from irsam_zoo.results.row import Row


def method_listing(checkpoints: str | Path) -> str:
    """One line a method: name, title, family, year, parameters, fidelity and the weights found in a folder."""
    (size,) = columns_named(["params"])
    lines: list[tuple[str, ...]] = [("method", "title", "family", "year", size.head, "fidelity", "weights")]
    for name in list_methods():
        try:
            card, params, _ = facts_of(name)
        except FAILURES as error:
            lines.append((name, *["-"] * 4, f"does not build: {one_line(error)}", "-"))
            continue
        found = [d for d in list_datasets() if params and _has_weights(checkpoints, name, d)]
        weights = (", ".join(found) or "none") if params else "not needed"
        millions = size.text(size.shown(params)) if params else "-"
        lines.append((name, card.title, card.family, str(card.year or "-"), millions, card.fidelity_label, weights))
    return aligned(lines)


def dataset_listing(root: str | Path | None) -> str:
    """One line a data set: name, title and how many images each list has, or that it was not found."""
    lines: list[tuple[str, ...]] = [("data set", "title", "found")]
    for name in list_datasets():
        try:
            train, test = (build_dataset(name, root=root, subset=subset) for subset in ("train", "test"))
        except UsageError as error:
            lines.append((name, *_absent(name, root, error)))
            continue
        lines.append((name, test.title, f"{len(train)} train, {len(test)} test images (split {test.split})"))
    return aligned(lines)


def _has_weights(checkpoints: str | Path, method: str, dataset: str) -> bool:
    """Whether a run would find weights; of a data set that it takes only by name, those that were made for it."""
    path = find_checkpoint(checkpoints, method, dataset)
    return path is not None and (not dataset_class(dataset).by_name_only or path.name.startswith(f"{method}_{dataset}"))


def _absent(name: str, root: str | Path | None, error: UsageError) -> tuple[str, str]:
    """Title of a data set that does not open, and why."""
    cls = dataset_class(name)
    if issubclass(cls, FolderDataset) and cls.locate(root):
        return cls.title, one_line(error)
    return cls.title if cls.by_name_only else "", "not found (name its parent folder by --data-root)"


def metrics_listing(row: "Row") -> str:
    """The metrics of a row with their 95 % intervals, one line a protocol."""
    columns = [column for column in columns_named(DEFAULT) if not column.of_method]
    lines = [("protocol", *(column.head for column in columns))]
    for protocol in row.metrics:
        lines.append((protocol, *(_with_interval(column, row, protocol) for column in columns)))
    head = f"{visible(row.title)} on {row.dataset}, split {row.split}, {row.n_images} of {row.n_split} images; {units(columns)}"
    return f"{head}\n{aligned(lines)}"


def differences_listing(row: "Row", differences: "Sequence[Difference]") -> str:
    """How a row differs from others of the same images: a line each, with 95 % intervals and p-values.

    Arguments:
        row: A `Row`.
        differences: `results.paired.Difference`s.
    """
    if not differences:
        return "no other row of these images is stored: nothing to compare with\n"
    columns = columns_named(differences[0].metrics)
    lines = [(f"{row.title} minus", *(column.head for column in columns))]
    for other, metrics in differences:
        lines.append((other.title, *(_difference(column, metrics[column.name]) for column in columns)))
    return f"by the paired bootstrap, protocol exact\n{aligned(lines)}"


def _with_interval(column: "Column", row: "Row", protocol: str) -> str:
    low, high = column.interval(row, protocol) or (None, None)
    return (figure(column, row, protocol) or "-") + _interval(column, low, high)


def _difference(column: "Column", compared: "PairedDifference") -> str:
    if compared["difference"] is None:
        return "-"
    interval = _interval(column, compared["low"], compared["high"])
    return f"{column.text(column.shown(compared['difference']), '+')}{interval} p {compared['p']:.3g}"


def _interval(column: "Column", low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{column.text(column.shown(low))}, {column.text(column.shown(high))}]"


def row_line(row: "Row", names: Iterable[str] = DEFAULT) -> str:
    """What there is to say of a finished row: its figures of the exact protocol, or why there are none."""
    name = f"{row.method} on {row.dataset} ({row.split})"
    if not row.ok:
        return f"{name}: {row.status}: {row.reason}"
    figures = {column.head: figure(column, row, "exact") for column in columns_named(names, [row])}
    reason = f"; {row.reason}" if row.reason else ""
    marks = sorted({mark for column in columns_named(names, [row]) for mark in column.marks(row)})
    reason += "".join(f"; {MARKS[mark]}" for mark in marks)
    shown = "  ".join(f"{head} {text}" for head, text in figures.items() if text)
    return f"{name}: {shown}  {row.n_images} images{reason}"


def figure(column: "Column", row: "Row", protocol: str) -> str | None:
    """The figure of a row in a column as it is printed, or None."""
    value = column.shown(column.of(row, protocol))
    return None if value is None else column.text(value)


def aligned(lines: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns of text."""
    lines = [[visible(cell) for cell in line] for line in lines]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(padded) + "\n"
