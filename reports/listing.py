"""Plain-text listings for the terminal."""

from datasets import build_dataset, list_datasets
from zoo import UsageError, build_method, list_methods
from zoo.checkpoints import find_checkpoint


def method_listing(checkpoints):
    """One line a method: name, title, family, year, parameters, fidelity and the weights found in a folder."""
    lines = [("method", "title", "family", "year", "params (M)", "fidelity", "weights")]
    for name in list_methods():
        detector = build_method(name)
        card = detector.card
        params = getattr(detector, "num_parameters", None)
        found = [d for d in list_datasets() if params and find_checkpoint(checkpoints, name, d)]
        weights = (", ".join(found) or "none") if params else "not needed"
        size = f"{params / 1e6:.2f}" if params else "-"
        lines.append((name, card.title, card.family, str(card.year or "-"), size, card.fidelity_label, weights))
    return columns(lines)


def dataset_listing(root):
    """One line a data set: name, title and how many images each list has, or that it was not found."""
    lines = [("data set", "title", "found")]
    for name in list_datasets():
        try:
            train, test = (build_dataset(name, root=root, subset=subset) for subset in ("train", "test"))
        except UsageError:
            lines.append((name, "", "not found (name its parent folder by --data-root)"))
            continue
        lines.append((name, test.title, f"{len(train)} train, {len(test)} test images (split {test.split})"))
    return columns(lines)


def metrics_listing(by_protocol, dataset):
    """The metrics of one set of predictions, one line a protocol."""
    lines = [("protocol", "IoU", "nIoU", "Pd", "Fa (1e-6)")]
    for protocol, metrics in by_protocol.items():
        figures = [f"{metrics[m] * 100:.2f}" if metrics.get(m) is not None else "-" for m in ("IoU", "nIoU", "Pd")]
        lines.append((protocol, *figures, "-" if metrics["Fa"] is None else f"{metrics['Fa'] * 1e6:.2f}"))
    return f"{dataset.title}, split {dataset.split}, {len(dataset)} images; IoU, nIoU and Pd in 1e-2\n{columns(lines)}"


def columns(lines):
    """Left-aligned columns of text."""
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(padded) + "\n"
