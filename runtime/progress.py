"""A progress bar on a terminal, and one line a finished cell anywhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from irsam_zoo.zoo.errors import visible

SPEED_PERIOD = 1e9  # seconds: the time left is told by all images of a cell, one of which may take minutes


class Progress:
    """Shows the running cell with its images and the time left; use as a context manager.

    Arguments:
        describe: A `Row` to the line that is printed of it.
    """

    def __init__(self, describe: Callable[[Any], str]):
        self.describe = describe
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)
        self.bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
            speed_estimate_period=SPEED_PERIOD,
        )

    def __enter__(self) -> Self:
        self.bar.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.bar.__exit__(*exception)

    @contextmanager
    def cell(self, method: str, dataset: str, images: int) -> Iterator[Callable[..., None]]:
        """A bar for one cell; gives the function that `engine.evaluate.evaluate` calls for images that are done."""
        task = self.bar.add_task(visible(f"{method} on {dataset}"), total=images)

        def on_image(images=1, stored=False):
            if stored:  # they took no time, from which no speed is to be told
                self.bar.reset(task, completed=images)
            else:
                self.bar.advance(task, images)

        try:
            yield on_image
        finally:
            self.bar.remove_task(task)

    def report(self, row: Any) -> None:
        """One line for a finished cell."""
        self.tell(self.describe(row))

    def tell(self, line: str) -> None:
        """A line of text above the bar."""
        self.console.print(visible(line), markup=False)
