"""A line of a table: one method on one data set, its values, and the marks behind them."""

from dataclasses import dataclass

from irsam_zoo.reports.published import source_facts
from irsam_zoo.reports.stand_in import ALONE, JOINT, training_of
from irsam_zoo.results.row import OUTSIDE, Row, WeightsFacts


@dataclass
class Published:
    """A published figure of a cell.

    Attributes:
        source: Where it is from, a key of `reports.published.source_facts`.
        text: As it is printed.
        apart: Why it is not compared with the measured one, empty where it is: other machines, images or sizes of images.
        difference: Measured minus published, or None.
    """

    source: str
    text: str
    apart: str = ""
    difference: float | None = None


@dataclass
class Value:
    """A figure of the table in its column's unit.

    Attributes:
        measured, low, high: The measured value and its 95 % interval, None where there is none.
        published: All that is published of it, in the order of `reports.published.published_figures`.
        rank: 1 for the best measured value of its column, 2 for the second, else 0.
        lead: Of a ranked value, whether its lead over the next is real at 95 %; None where that is not known.
        marks: Letters behind the measured value; `MARKS` explains them.
    """

    measured: float | None = None
    low: float | None = None
    high: float | None = None
    published: tuple[Published, ...] = ()
    rank: int = 0
    lead: bool | None = None
    marks: str = ""


@dataclass
class Line:
    """One method on one data set, with its values by column.

    `group` is a key of `reports.groups.GROUPS`; `sources` are what its published values are from, in their order.
    """

    method: str
    title: str
    group: str
    row: Row | None
    values: dict[str, Value]
    sources: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """True where every image of the row's test list was scored."""
        return self.row is not None and self.row.whole

    @property
    def complete(self) -> bool:
        """True where every image was scored, at its own size, and none can have been looked at in training.

        Only then it may be ranked.
        """
        return self.whole and not any(self._flags[letter] for letter in "IOTUX")

    @property
    def weights(self) -> WeightsFacts | None:
        """What is known of a network's weights, or None where there are none."""
        return self.row.weights if self.row else None

    @property
    def trained_on(self) -> str | None:
        """Of `reports.stand_in.KINDS`, what the weights were trained on; None where there are none."""
        return self.row and training_of(self.row)

    @property
    def schedule(self) -> str | None:
        """By which schedule the weights were trained, or None where that is not known."""
        schedule = self.weights and self.weights.schedule
        return schedule and ", ".join([schedule, *self._stages])

    @property
    def training(self) -> str | None:
        """In short words, how the weights came about, or None where there are none."""
        weights = self.weights
        place = f"on {weights.dataset} ({weights.split})" if weights and weights.dataset else ""
        if weights and weights.publisher:
            return ", ".join(filter(None, [f"weights of {weights.publisher}", place and f"trained {place}"]))
        if weights is None or weights.schedule is None:
            return weights and f"weights {weights.file}"
        how = ", ".join([f"{weights.schedule}-trained", *self._stages])
        comma = "," if self._stages else ""
        return f"{how}{comma} on {weights.dataset} ({weights.split})" if weights.dataset else how

    @property
    def _stages(self) -> list[str]:
        return ["in stages"] if self.weights and self.weights.in_stages else []

    @property
    def used_marks(self) -> set[str]:
        """Letters behind the title or a figure."""
        return {*self.marks, *(mark for value in self.values.values() for mark in value.marks)}

    @property
    def marks(self) -> str:
        """Letters behind the title; `MARKS` explains them."""
        if self.row is None:
            joint = {source_facts(source).get("training") for source in self.sources} == {JOINT}
            return "JN" if joint else "N"
        letters = {"public-port": "P", "reconstruction": "R"}.get(
            self.row.fidelity or "", "V" if self.row.fidelity_scope else ""
        )
        return "".join(sorted(letters + "".join(letter for letter, flag in self._flags.items() if flag)))

    @property
    def _flags(self) -> dict[str, bool]:
        row, weights = self.row, self.weights
        if row is None:
            return {}
        unknown = weights is not None and not weights.training_images_known
        flags = {"A": self.trained_on == ALONE, "J": self.trained_on == JOINT, "I": row.metric_size != "native"}
        flags |= {"O": row.oracle, "S": row.from_sweep, "T": row.trained_on_test > 0}
        return flags | {"U": unknown, "X": row.fidelity == OUTSIDE}


MARKS = {
    "1": "the speed of a single run",
    "A": "weights trained on this set's training list alone, as most papers do; such a row stands before one of joint weights, "
    "by what the weights say of their training and not by its figures",
    "B": "the processor was given to other programs while the speed was measured",
    "I": "metrics at the size of the network's input, to which the masks were resized, as the literature mostly takes them",
    "J": "joint weights: trained on the training lists of several sets together, this one's among them",
    "N": "not run here; figures, if any, are published ones",
    "O": "threshold chosen by looking at the masks (an upper bound)",
    "P": "equal to a third party's port, not to the author's code",
    "R": "a reconstruction from the paper, whole or in part; the author's code was never published",
    "T": "test images were in the training list of these weights",
    "U": "the training images of these weights are not known",
    "S": "cut at the next of 256 stored levels, not run again",
    "V": "equal to the author's code but for what the method's card names",
    "X": "predictions of another program: how they were made is not known here, and they are not ranked",
}
