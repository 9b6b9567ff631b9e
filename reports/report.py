"""Writes the report of a result folder."""

import csv
import io
from pathlib import Path

from reports.latex import to_latex
from reports.markdown import to_markdown
from reports.table import build_table

COLUMNS = ("dataset", "split", "method", "metric", "measured", "ci95_low", "ci95_high", "published", "difference", "source",
           "protocol", "metric_size", "threshold", "fidelity", "marks", "n_images", "n_split", "own_split", "status", "reason",
           "weights", "weights_sha256", "weights_schedule", "weights_dataset", "weights_split",
           "weights_publisher")  # fmt: skip
ABOUT = ("metric_size", "threshold", "fidelity", "n_images", "n_split", "own_split", "status", "reason")
DIGITS = 4


def write_report(rows, folder, write, *, protocol="exact"):
    """Write ``table1.md``, ``table1.tex`` and ``table1.csv``.

    Arguments:
        rows: Rows of the result store.
        folder: Where the files go.
        write: Function of a path and a text; the store's atomic one.
        protocol: Whose definition of the metrics.

    Returns:
        list[Path]: The files.
    """
    sections = build_table(rows, protocol=protocol)
    texts = {
        "table1.md": to_markdown(sections, protocol),
        "table1.tex": to_latex(sections, protocol),
        "table1.csv": to_csv(sections, protocol),
    }
    for name, text in texts.items():
        write(Path(folder) / name, text)
    return [Path(folder) / name for name in texts]


def to_csv(sections, protocol):
    """One line a method, data set and metric, in the literature's units."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for line in section.lines:
            row = line.row or {"status": "not run"}
            about = {key: row.get(key) for key in ABOUT}
            about |= dict(dataset=section.dataset, split=section.split, method=line.method, marks=line.marks)
            about |= dict(source=section.source, protocol=protocol)
            about |= {f"weights_{key}": line.weights.get(key) for key in ("sha256", "dataset", "split", "publisher")}
            about |= dict(weights=line.weights.get("file"), weights_schedule=line.schedule)
            for metric, value in {"params": line.params, "FPS": line.fps, **line.values}.items():
                figures = dict(measured=value.measured, ci95_low=value.low, ci95_high=value.high, difference=value.difference)
                rounded = {name: figure if figure is None else round(figure, DIGITS) for name, figure in figures.items()}
                writer.writerow(about | rounded | {"metric": metric, "published": value.printed})
    return text.getvalue()
