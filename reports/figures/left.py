"""What is left out of figures, told in as few lines as it takes."""

from collections.abc import Iterator

from irsam_zoo.reports.columns import shortened

Lacking = dict[str, dict[str, None]]  # methods by what they lack

MOST = 3  # reasons in a line


class Left:
    """Collects figures that are left out, and rows that are left out of one.

    Figures that lack the same are one line, in which a figure that lacks it on every test set is named alone.
    """

    def __init__(self):
        self._found = {}

    def out(self, name: str, place: str, places: int, error: str, lacking: Lacking, nothing: bool) -> None:
        """A figure is not drawn.

        Arguments:
            name: Of the figure.
            place: Of its file.
            places: How many test sets it is of.
            error: Why, in one line.
            lacking: Methods by what they lack.
            nothing: Whether no row is left, so that what they lack says it all.
        """
        if nothing and len(lacking) == 1:
            (reason,) = lacking
            self._add(f"left out: {reason}", f"left out: {_reasons(lacking)}", name, place, places)
        else:
            text = _reasons(lacking) if nothing and lacking else "; ".join(filter(None, [error, _reasons(lacking)]))
            self._add(f"left out: {text}", f"left out: {text}", name, place, places)

    def rows(self, name: str, place: str, places: int, lacking: Lacking) -> None:
        """A figure is drawn without some rows; the arguments are those of `out`."""
        if lacking:
            self._add(f"without {_reasons(lacking)}", f"without {_reasons(lacking)}", name, place, places)

    def lines(self) -> Iterator[str]:
        """A line for each that differs."""
        for text, (alone, of) in self._found.items():
            named = [[name] if len(found) == places > 1 else found for (name, places), found in of.items()]
            several = sum(map(len, of.values())) > 1
            figures = shortened([place for places in named for place in places])
            joint = "," if text.startswith("without") else " are" if several else " is"
            yield f"figure{'s' * several} {figures}{joint} {text if several else alone}"

    def _add(self, text: str, alone: str, name: str, place: str, places: int) -> None:
        _, of = self._found.setdefault(text, (alone, {}))
        of.setdefault((name, places), []).append(place)


def _reasons(lacking: Lacking) -> str:
    texts = [f"{shortened(methods)}: {reason}" for reason, methods in lacking.items()]
    more = [f"{len(texts) - MOST} more reasons"] if len(texts) > MOST else []
    return "; ".join([*texts[:MOST], *more])
