"""What the page says of a row besides its figures: card, weights, command."""

import shlex
from dataclasses import asdict, fields, replace
from pathlib import Path

from irsam_zoo.engine.foreign.run import ScoreOptions
from irsam_zoo.engine.options import RunOptions
from irsam_zoo.results.row import OUTSIDE
from irsam_zoo.zoo import METHODS
from irsam_zoo.zoo.errors import FAILURES
from irsam_zoo.zoo.lookup import registered
from irsam_zoo.zoo.registry import spec_named


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
        return spec and replace(registered(METHODS, spec.options["type"]).card, **spec.card)
    except FAILURES:
        return None


def row_command(row, manifests):
    """The command that makes this row, by the latest of the folder that did; None where none did."""
    for manifest in reversed(manifests):
        config, words = manifest.get("config", {}), None
        if row.fidelity == OUTSIDE:
            if f"{row.dataset}/{row.split}/{row.method}" in manifest.get("faults", ()):
                words = ["score", config["folder"], *_options(config, ScoreOptions, {"folder", "out"})]
        else:
            method = _asked_for(row.method, config.get("methods", ()))
            dataset = _asked_for(row.dataset, config.get("datasets", ()))
            if method and dataset:
                given = _options(config, RunOptions, {"methods", "datasets", "out"})
                words = ["--methods", method, "--datasets", dataset, *given]
        if words:
            return shlex.join(["python", "run_benchmark.py", *words])
    return None


def _asked_for(name, specs):
    """The one of a run's names, files or folders that results are filed under this name of."""
    return next((spec for spec in specs if name in (spec, Path(spec).name, Path(spec).stem)), None)


def _options(config, options, others):
    """Those of a command's options that are not the default ones, as arguments."""
    arguments = []
    for field in fields(options):
        value = config.get(field.name)
        if field.name in others or value in (None, False, []) or value == field.default:
            continue
        values = value if isinstance(value, list) else [] if value is True else [value]
        flag = "--plugin" if field.name == "plugins" else f"--{field.name.replace('_', '-')}"
        arguments += [flag, *map(str, values)]
    return arguments
