"""What changed between two result folders: by method and figure, by image, and in how they were made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irsam_zoo.reports.columns import columns_named
from irsam_zoo.reports.markdown import markdown_table
from irsam_zoo.reports.significance import Tested, is_real, paired

if TYPE_CHECKING:
    from irsam_zoo.reports.columns import Column
    from irsam_zoo.reports.report import ReportOptions
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.stored_rows import StoredRows

HEADS = ["Figure", "from", "to", "change", "95 % interval", "p", ""]
COUNTED = ("intersection", "union", "matched", "false_pixels")
MOST = 8  # rows of one folder alone that are named
IMAGES = 5  # that are named of those that changed most


def to_text(a: "StoredRows", b: "StoredRows", options: "ReportOptions") -> str:
    """Markdown text of what changed from one result folder to another.

    Arguments:
        a, b (StoredRows): The folders.
        options (ReportOptions): Whose columns, digits and protocol.
    """
    columns = columns_named(options.columns, [*a.rows, *b.rows], options.digits)
    rows_a, rows_b = ({(row.dataset, row.split, row.method): row for row in stored.rows} for stored in (a, b))
    parts = [f"# From {a.store.out} to {b.store.out}\n"]
    for folder, here, there in ((a, rows_a, rows_b), (b, rows_b, rows_a)):
        alone = [_name(place) for place in here if place not in there]
        parts += [f"Only in {folder.store.out}: {'; '.join(alone[:MOST])}{_more(alone)}.\n"] if alone else []
    both = [place for place in rows_a if place in rows_b]
    parts += [] if both else ["No method has a row of one data set and split in both.\n"]
    for place in both:
        parts += [f"## {_name(place)}\n", *_row(rows_a[place], rows_b[place], a, b, columns, options.protocol)]
    parts += ["## Manifests\n", *(f"- {line}" for line in _changes(_last(a), _last(b))), ""]
    return "\n".join(parts)


def _more(alone: Sequence[str]) -> str:
    return f"; and {len(alone) - MOST} more rows" if len(alone) > MOST else ""


def _name(place: tuple[str, str, str]) -> str:
    dataset, split, method = place
    return f"{method} on {dataset} ({split})"


def _row(row_a: "Row", row_b: "Row", a: "StoredRows", b: "StoredRows", columns: "Sequence[Column]", protocol: str) -> list[str]:
    """The paragraphs of one cell of the table."""
    parts = [f"- {line}" for line in _changes(_made(row_a), _made(row_b))]
    counts_a, counts_b = a.counts(row_a), b.counts(row_b)
    ids = [counts and {line["id"] for line in counts} for counts in (counts_a, counts_b)]
    if row_a.fingerprint != row_b.fingerprint or (None not in ids and ids[0] != ids[1]):
        parts.append("- The images are others: no difference between them is tested.")
        counts_a = counts_b = None
    lines = [HEADS]
    for column in columns:
        before, after = column.of(row_a, protocol), column.of(row_b, protocol)
        if before is not None or after is not None:
            lines.append(_figure(column, before, after, paired(counts_b, counts_a, protocol, column.name)))
    parts += ["", markdown_table(lines)]
    if counts_a and counts_b:
        parts.append(_images(counts_a, counts_b) + "\n")
    return parts


def _figure(column: "Column", before: float | None, after: float | None, found: Tested | None) -> list[str]:
    before, after = column.shown(before), column.shown(after)
    texts = ["-" if value is None else column.text(value) for value in (before, after)]
    change = "" if before is None or after is None else column.text(after - before, "+")
    if found is None or before is None or after is None or before == after:
        return [column.head, *texts, change, "", "", "unchanged" if before == after else "not tested"]
    interval = f"[{column.text(column.shown(found['low']), '+')}, {column.text(column.shown(found['high']), '+')}]"
    verdict = ("better" if (after > before) == (column.better == "higher") else "worse") if is_real(found) else "may be chance"
    return [column.head, *texts, change, interval, f"{found['p']:.3g}", verdict]


def _images(counts_a: list[dict[str, Any]], counts_b: list[dict[str, Any]]) -> str:
    """Which images are counted differently, those whose IoU changed most first."""
    before = {line["id"]: line for line in counts_a}
    changed = []
    for line in counts_b:
        old = before[line["id"]]
        if any(line[name] != old[name] for name in COUNTED):
            changed.append((_iou(old), _iou(line), line["id"]))
    if not changed:
        return f"No image of {len(counts_b)} is counted differently."
    changed.sort(key=lambda image: -abs(image[1] - image[0]))
    shown = ", ".join(f"{name} {100 * old:.1f} to {100 * new:.1f}" for old, new, name in changed[:IMAGES])
    return f"{len(changed)} of {len(counts_b)} images are counted differently; IoU: {shown}."


def _iou(line: Mapping[str, Any]) -> float:
    return line["intersection"] / line["union"] if line["union"] else 1.0


def _made(row: "Row") -> dict[str, Any]:
    """All that a row says of how it came about."""
    weights = row.weights and {"file": row.weights.file, "sha256": row.weights.sha256}
    about = dict(status=str(row.status), reason=row.reason, threshold=row.threshold, images=row.n_images, commit=row.code)
    return about | {"metric_size": row.metric_size, "weights": weights, "key": row.key}


def _last(stored: "StoredRows") -> dict[str, Any]:
    manifests = stored.store.manifests()
    return {key: value for key, value in manifests[-1].items() if key != "wall_seconds"} if manifests else {}


def _changes(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """One line an entry that differs, by its path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key), after.get(key), f"{name}.{key}" if name else str(key))
    elif before != after:
        yield f"{name}: {_short(before)} -> {_short(after)}"


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
