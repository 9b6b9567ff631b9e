"""The command that makes a row anew, from what its result folder says of its runs."""

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from irsam_zoo.results.options import RunOptions, ScoreOptions
from irsam_zoo.results.row import OUTSIDE, Row
from irsam_zoo.results.serialization import is_list


def row_command(row: Row, manifests: Sequence[Mapping[str, Any]]) -> str | None:
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


def _asked_for(name: str, specs: Iterable[str]) -> str | None:
    """The one of a run's names, files or folders that results are filed under this name of."""
    return next((spec for spec in specs if name in (spec, Path(spec).name, Path(spec).stem)), None)


def _options(config: Mapping[str, Any], options: type, others: Collection[str]) -> list[str]:
    """Those of a command's options that are not the default ones, as arguments."""
    arguments: list[str] = []
    for field in fields(options):
        value = config.get(field.name)
        if field.name in others or value in (None, False, []) or value == field.default:
            continue
        values: list[Any] = value if is_list(value) else [] if value is True else [value]
        flag = "--plugin" if field.name == "plugins" else f"--{field.name.replace('_', '-')}"
        arguments += [flag, *map(str, values)]
    return arguments
