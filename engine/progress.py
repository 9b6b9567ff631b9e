"""A progress bar on a terminal, and one line a finished cell anywhere."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

SCALES = {"IoU": 1e2, "nIoU": 1e2, "Pd": 1e2, "Fa": 1e6}


class Progress:
    """Shows the running cell with its images and the time left; use as a context manager."""

    def __init__(self):
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)
        self.bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self):
        self.bar.__enter__()
        return self

    def __exit__(self, *exception):
        self.bar.__exit__(*exception)

    @contextmanager
    def cell(self, method, dataset, images):
        """A bar for one cell; gives the function to call for each image that is done."""
        task = self.bar.add_task(f"{method} on {dataset}", total=images)
        try:
            yield lambda: self.bar.advance(task)
        finally:
            self.bar.remove_task(task)

    def report(self, row):
        """One line for a finished cell."""
        name = f"{row.method} on {row.dataset} ({row.split})"
        exact = row.metrics.get("exact")
        if not row.ok or exact is None:
            self.console.print(f"{name}: {row.status}: {row.reason}", markup=False)
            return
        figures = "  ".join(f"{metric} {_figure(exact[metric], scale)}" for metric, scale in SCALES.items())
        self.console.print(f"{name}: {figures}  {row.n_images} images, {row.speed.fps:.3g} a second", markup=False)


def _figure(value, scale):
    return "-" if value is None else f"{value * scale:.4g}"
