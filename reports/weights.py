"""Plain-text listings of the weights that the project knows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo.reports.columns import columns_named, units
from irsam_zoo.reports.listing import aligned
from irsam_zoo.zoo.weights.header import read_header

if TYPE_CHECKING:
    from irsam_zoo.zoo.weights.known_weights import KnownWeights

FIGURES = ("IoU", "nIoU", "Pd", "Fa")
LEAST_DIGITS = 2


def weights_listing(entries: "Iterable[KnownWeights]", found: Mapping[str, Path]) -> str:
    """A few lines an entry: where it is from, what it was trained on, what is stated and was measured, and where it is here.

    Arguments:
        entries (Iterable[KnownWeights]): Of `zoo.weights.known_weights.catalogue`.
        found (dict[str, Path]): The files that are here, by name of the entry.
    """
    return "\n".join(_entry(known, found.get(known.name)) for known in entries)


def trained_listing(folders: Iterable[Path]) -> str:
    """One line a file of this project's trainer in folders and those under them; empty where there are none."""
    lines = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*.safetensors"))):
        header = read_header(path)
        if header.get("schedule"):
            told = (header.get(name) for name in ("method", "dataset", "split", "schedule", "iterations", "seed"))
            lines.append((str(path), *map(str, told)))
    head = ("weights of this project", "method", "trained on", "split", "schedule", "steps", "seed")
    return aligned([head, *lines]) if lines else ""


def _entry(known: "KnownWeights", path: Path | None) -> str:
    lines = [
        f"{known.name}: {known.method}, trained on {_training(known)}",
        f"  weights of {known.publisher}, licence: {known.licence}{f'; {known.note}' if known.note else ''}",
    ]
    for result in known.results:
        figures = {
            "stated": result.stated,
            "by the publisher's own code or masks": result.original,
            "measured": result.measured,
        }
        told = "; ".join(f"{what} {_figures(values)}" for what, values in figures.items() if values)
        lines.append(f"  {result.dataset} ({result.split}), {_protocol(known.protocol)}: {told}")
        if result.note:
            lines.append(f"    {result.note}")
    lines.append(f"  here: {path}" if path else f"  not here; get it from {known.url}")
    return "\n".join(lines) + "\n"


def _training(known: "KnownWeights") -> str:
    return f"{known.trained_on} ({known.split})" if known.trained_on else "images that are not told"


def _figures(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values.items())


def _protocol(protocol: Any) -> str:
    size = "at the network's input size" if protocol.size == "input" else "at the images' size"
    cut = f"cut by {protocol.threshold}" if isinstance(protocol.threshold, str) else f"logit > {protocol.threshold:g}"
    grey = ", in colour" if protocol.colour else ", grey by OpenCV" if protocol.opencv_grey else ""
    return f"metrics {protocol.metrics} {size}, {cut}{grey}"


def check_listing(checks: Iterable[Any]) -> str:
    """One line a test list: each figure as stated and as reproduced, and the verdict."""
    lines: list[tuple[str, ...]] = [("weights", "test list", *FIGURES, "")]
    for check in checks:
        result = check.result
        cells = (_cell(result.stated.get(name), check.figures.get(name)) for name in FIGURES)
        lines.append((check.known.name, f"{result.dataset} ({result.split})", *cells, _verdict(check)))
    head = f"stated / reproduced by the publisher's protocol; {units(columns_named(FIGURES))}"
    return f"{head}\n{aligned(lines)}"


def _cell(stated: float | None, reproduced: float | None) -> str:
    if reproduced is None:
        return "-" if stated is None else f"{_shown(stated)} / -"
    if stated is None:
        return f"- / {reproduced:.{LEAST_DIGITS}f}"
    return f"{_shown(stated)} / {reproduced:.{_digits(stated)}f}"


def _shown(value: float) -> str:
    return f"{value:.{_digits(value)}f}"


def _digits(value: float) -> int:
    return max(LEAST_DIGITS, len(repr(value).partition(".")[2]))


def _verdict(check: Any) -> str:
    if check.reason:
        return f"failed: {check.reason}"
    if check.missed:
        return f"MISSED: {', '.join(check.missed)}"
    if not check.result.stated:
        return "as measured before, none is stated"
    again = ", ".join(check.result.unreproducible)
    return f"reproduced, {again} as measured before: {check.result.note}" if again else "reproduced"
