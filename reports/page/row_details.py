"""What the page says of a row besides its figures: card, weights, command."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from irsam_zoo.results.row_command import row_command
from irsam_zoo.zoo.errors import FAILURES
from irsam_zoo.zoo.index import card_of
from irsam_zoo.zoo.specs import spec_named

if TYPE_CHECKING:
    from irsam_zoo.reports.table_line import Line
    from irsam_zoo.zoo.card import MethodCard


def about(line: "Line", manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A line of a table in plain data.

    Arguments:
        line (reports.table_line.Line): Of the rows as they were run.
        manifests: What the result folder says of its runs.
    """
    row, card = line.row, method_card(line)
    told: dict[str, Any] = {"method": line.method, "title": line.title, "group": line.group}
    told["card"] = card and asdict(card) | {"fidelity": card.fidelity_label}
    if row is None:
        return told
    return told | {
        "fidelity": row.fidelity_label,
        "training": line.training,
        "weights": row.weights and {name: value for name, value in asdict(row.weights).items() if value not in (None, ())},
        "command": row_command(row, manifests),
        "speed": row.speed and asdict(row.speed),
        "notes": [f"{text} ({count} images)" for text, count in row.notes.items()],
        "dataNotes": list(row.data_notes),
        "options": (row.key or {}).get("method"),
        "code": row.code,
        "images": [row.n_images, row.n_split],
    }


def method_card(line: "Line") -> "MethodCard | None":
    """The `zoo.MethodCard` of a line, or None where the method is not known here, such as one of a plug-in."""
    try:
        spec = spec_named(line.method)
        card = spec and card_of(spec.options["type"])
        return replace(card, **spec.card) if spec and card else None
    except FAILURES:
        return None
