"""Table 1 as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from irsam_zoo.results.csv_text import safe_text
from irsam_zoo.zoo.errors import visible

if TYPE_CHECKING:
    from irsam_zoo.reports.table import Section
    from irsam_zoo.reports.table_line import Published

FIELDS = ("dataset", "split", "method", "metric", "measured", "ci95_low", "ci95_high", "published", "difference",
           "no_difference", "source", "protocol", "metric_size", "threshold", "fidelity", "marks", "n_images", "n_split",
           "own_split", "status", "reason", "weights", "weights_sha256", "weights_schedule", "weights_dataset",
           "weights_split", "weights_publisher", "trained_on")  # fmt: skip
ABOUT = ("metric_size", "threshold", "n_images", "n_split", "own_split", "status", "reason")
DIGITS = 4


def to_csv(sections: "Iterable[Section]", protocol: str) -> str:
    """One line a method, data set and column, in the column's unit; of several published figures, one each."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for line in section.lines:
            row, weights = line.row, line.weights
            about = dict(dataset=section.dataset, split=section.split, method=line.method, marks=line.marks)
            about |= dict(source=next(iter([*line.sources, *section.tables]), None), protocol=protocol, status="not run")
            if row is not None:
                about |= {key: getattr(row, key) for key in ABOUT} | dict(fidelity=row.fidelity_label)
            if weights is not None:
                about |= {f"weights_{key}": getattr(weights, key) for key in ("sha256", "dataset", "split", "publisher")}
                about |= dict(weights=weights.file, weights_schedule=line.schedule, trained_on=line.trained_on)
            for metric, value in line.values.items():
                measured = dict(measured=value.measured, ci95_low=value.low, ci95_high=value.high)
                cells = about | _rounded(measured) | {"metric": metric, "marks": line.marks + value.marks}
                for beside in [*map(_beside, value.published)] or [{}]:
                    texts = {key: safe_text(visible(t)) if isinstance(t, str) else t for key, t in (cells | beside).items()}
                    writer.writerow(texts)
    return text.getvalue()


def _beside(figure: "Published") -> dict[str, Any]:
    """What there is to say of a `reports.table_line.Published`."""
    told = dict(published=figure.text, source=figure.source, no_difference=figure.apart)
    return told | _rounded(dict(difference=figure.difference))


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: figure if figure is None else round(figure, DIGITS) for name, figure in figures.items()}
