"""What the page says of a row besides its figures: card, weights, command."""

from dataclasses import asdict, replace

from irsam_zoo.results.row_command import row_command
from irsam_zoo.zoo.errors import FAILURES
from irsam_zoo.zoo.index import card_of
from irsam_zoo.zoo.specs import spec_named


def about(line, manifests):
    """A line of a table in plain data.

    Arguments:
        line (reports.table_line.Line): Of the rows as they were run.
        manifests: What the result folder says of its runs.
    """
    row, card = line.row, method_card(line)
    told = {"method": line.method, "title": line.title, "group": line.group}
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


def method_card(line):
    """The `zoo.MethodCard` of a line, or None where the method is not known here, such as one of a plug-in."""
    try:
        spec = spec_named(line.method)
        return spec and replace(card_of(spec.options["type"]), **spec.card)
    except FAILURES:
        return None
