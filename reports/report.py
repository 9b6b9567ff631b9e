"""Writes the report of a result folder."""

import csv
import io
from pathlib import Path

from reports.latex import to_latex
from reports.markdown import to_markdown
from reports.table import METRICS, build_table

COLUMNS = ("dataset", "split", "method", "metric", "measured", "ci95_low", "ci95_high", "published", "difference", "source",
           "protocol", "threshold", "fidelity", "n_images", "n_split", "status", "reason")  # fmt: skip


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
            about = {key: row.get(key) for key in ("threshold", "fidelity", "n_images", "n_split", "status", "reason")}
            for metric, value in {"params": line.params, "FPS": line.fps, **line.values}.items():
                figures = (value.measured, value.low, value.high, value.published, value.difference)
                names = ("measured", "ci95_low", "ci95_high", "published", "difference")
                digits = METRICS[metric][1] + 2 if metric in METRICS else 4
                writer.writerow(
                    about
                    | dict(dataset=section.dataset, split=section.split, method=line.method, metric=metric)
                    | dict(source=section.source, protocol=protocol)
                    | {name: None if figure is None else round(figure, digits) for name, figure in zip(names, figures, strict=True)}
                )
    return text.getvalue()
