"""Published numbers: data with a source, shown beside measured ones and never mixed with them."""

import csv
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo.zoo.index import facts_of
from irsam_zoo.zoo.weights.known_weights import catalogue, entry_named

if TYPE_CHECKING:
    from irsam_zoo.zoo.weights.known_weights import KnownWeights

FOLDER = Path(__file__).parent


@cache
def sources() -> dict[str, dict[str, Any]]:
    """The published tables: name -> title, citation, url, split, notes, by data set the ``sizes`` that metrics are of, and the
    ``families`` of its methods that the package does not have.

    A size is ``"native"`` for that of the images themselves, else such as ``"512x512"``.
    """
    return json.loads((FOLDER / "sources.json").read_text(encoding="utf-8"))


@cache
def published(source: str) -> dict[tuple[str, str, str], str]:
    """Values of one published table.

    Arguments:
        source: A key of `sources`.

    Returns:
        dict: (method, data set, metric) -> text as printed: IoU, nIoU and Pd in 1e-2, Fa in 1e-6, params in 1e6. The
        data set is ``""`` for params, FLOPs and FPS.
    """
    return {(row["method"], row["dataset"], row["metric"]): row["value"] for row in _records(source)}


@cache
def papers() -> dict[str, dict[str, Any]]:
    """What else published figures are from, such as a method's own paper: title, citation, url, notes, the
    ``size`` that metrics are of, as in `sources`, and ``training`` where it is known, as `reports.stand_in` has it."""
    return json.loads((FOLDER / "papers.json").read_text(encoding="utf-8"))


@cache
def elsewhere() -> dict[str, dict[str, Any]]:
    """Title, notes and ``size`` of what is published besides tables: by `papers`, and by publishers of known weights."""
    stated = {known.publisher: dict(title=known.publisher, size=_size(known), notes="") for known in catalogue().values()}
    return papers() | stated


def source_facts(source: str) -> dict[str, Any]:
    """What is known of a key of `sources` or `elsewhere`."""
    return (sources() | elsewhere())[source]


def size_of(source: str, dataset: str) -> str:
    """The size that the metrics of a source are of on a data set, as `sources` has it."""
    facts = source_facts(source)
    return facts["size"] if "size" in facts else facts["sizes"][dataset]


def published_figures(method: str, dataset: str, split: str, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """All that is published of a method on a test list.

    Arguments:
        method, dataset, split: Names; that of published weights stands for what their publisher states of them.
        tables: Of `sources`, those of this split.

    Returns:
        dict[str, dict[str, str]]: Texts by metric, as in `published`, by what they are from: the tables in their order, the
        publisher of the weights, and papers. What has none is not there.
    """
    found = {table: _in_table(table, method, dataset) for table in tables}
    known = entry_named(method)
    if known is not None:
        stated = next((result.stated for result in known.results if (result.dataset, result.split) == (dataset, split)), {})
        found[known.publisher] = {metric: str(value) for metric, value in stated.items()}
    for row in _records("papers"):
        if (row["method"], row["dataset"], row["split"]) == (method, dataset, split):
            found.setdefault(row["paper"], {})[row["metric"]] = row["value"]
    return {source: texts for source, texts in found.items() if texts}


def _in_table(table: str, method: str, dataset: str) -> dict[str, str]:
    return {
        metric: text for (name, place, metric), text in published(table).items() if name == method and place in (dataset, "")
    }


def printed_name(method: str) -> str:
    """The name that the first published table with this method prints for it, else the method's own name."""
    names = (row["printed_as"] for source in sources() for row in _records(source) if row["method"] == method)
    return next(names, method)


def tables_of(split: str) -> list[str]:
    """The published tables whose numbers were made on this split."""
    return [name for name, source in sources().items() if source["split"] == split]


@cache
def list_facts() -> dict[tuple[str, str], dict[str, int]]:
    """What the published test lists hold: (data set, split) -> ``images``, ``targets`` and ``pixels``.

    The split ``all`` is the whole set. Targets are 8-connected components of mask levels above 127.
    """
    with open(FOLDER / "lists.csv", encoding="utf-8", newline="") as file:
        return {(row.pop("dataset"), row.pop("split")): {k: int(v) for k, v in row.items()} for row in csv.DictReader(file)}


@cache
def _records(source: str) -> list[dict[str, str]]:
    with open(FOLDER / f"{source}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _size(known: "KnownWeights") -> str:
    """The size that the figures of published weights are of."""
    if known.protocol.size == "native":
        return "native"
    options = known.spec.options
    side = options.get("input_size") or facts_of(options["type"]).input_size
    return f"{side}x{side}"
