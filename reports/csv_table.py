"""Table 1 as CSV."""

import csv
import io

from irsam_zoo.results.csv_text import safe_text
from irsam_zoo.zoo.errors import visible

FIELDS = ("dataset", "split", "method", "metric", "measured", "ci95_low", "ci95_high", "published", "difference",
           "no_difference", "source", "protocol", "metric_size", "threshold", "fidelity", "marks", "n_images", "n_split",
           "own_split", "status", "reason", "weights", "weights_sha256", "weights_schedule", "weights_dataset",
           "weights_split", "weights_publisher", "trained_on")  # fmt: skip
ABOUT = ("metric_size", "threshold", "n_images", "n_split", "own_split", "status", "reason")
DIGITS = 4


def to_csv(sections, protocol):
    """One line a method, data set and column, in the column's unit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for line in section.lines:
            row, weights = line.row, line.weights
            about = dict(dataset=section.dataset, split=section.split, method=line.method, marks=line.marks)
            about |= dict(source=line.paper or section.source, protocol=protocol, status="not run")
            if row is not None:
                about |= {key: getattr(row, key) for key in ABOUT} | dict(fidelity=row.fidelity_label)
            if weights is not None:
                about |= {f"weights_{key}": getattr(weights, key) for key in ("sha256", "dataset", "split", "publisher")}
                about |= dict(weights=weights.file, weights_schedule=line.schedule, trained_on=line.trained_on)
            for metric, value in line.values.items():
                figures = dict(measured=value.measured, ci95_low=value.low, ci95_high=value.high, difference=value.difference)
                rounded = {name: figure if figure is None else round(figure, DIGITS) for name, figure in figures.items()}
                cells = about | rounded | {"metric": metric, "published": value.printed}
                cells["marks"] = line.marks + value.marks
                cells["no_difference"] = value.apart if value.printed is not None else None
                writer.writerow(
                    {key: safe_text(visible(text)) if isinstance(text, str) else text for key, text in cells.items()}
                )
    return text.getvalue()
