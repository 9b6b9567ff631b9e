"""A row of the table: one method on one data set."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import quantiles
from typing import Any

from irsam_zoo.metrics.typing import Interval, Stratum
from irsam_zoo.results.checksum import NAME, checked, checksum, summed
from irsam_zoo.results.serialization import from_plain, is_object, to_plain
from irsam_zoo.results.sound import ROW, SPEED, check, one_of
from irsam_zoo.zoo.card import FIDELITIES, fidelity_label

VERSION = 2
OUTSIDE = "predictions of others"  # the fidelity of a row that another program made the predictions of
AS_GIVEN = "as given"  # the threshold of its masks, if it gave nothing else


class Status(StrEnum):
    """What came of a cell."""

    OK = "ok"
    INCOMPLETE = "incomplete"  # some images could not be read or scored: the figures are of the others
    FAILED = "failed"
    NO_CHECKPOINT = "no checkpoint"


@dataclass(frozen=True, kw_only=True)
class WeightsFacts:
    """Which weights a network had, and what their maker says of the training.

    Attributes:
        file: Name of the file.
        sha256: Of the file.
        schedule: ``"paper"``, ``"short"`` or ``"smoke"``, or None where that is not known.
        dataset, split: What they were trained on, or None; where that was several data sets, `dataset` is the joined one.
        datasets: The data sets of a joined one.
        seed, iterations: Of the training, or None.
        in_stages: Whether the training went on from other weights.
        training_images_known: Whether the file names the images that it was trained on.
        publisher: Who published the file, where it is a known one, or None.
    """

    file: str
    sha256: str
    schedule: str | None = None
    dataset: str | None = None
    split: str | None = None
    datasets: tuple[str, ...] = ()
    seed: int | None = None
    iterations: int | None = None
    in_stages: bool = False
    training_images_known: bool = True
    publisher: str | None = None


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast a method was.

    Attributes:
        fps: Images a second.
        seconds_an_image: Its inverse, the median.
        lower_quartile, upper_quartile: Of the seconds an image, or None where single runs were not timed.
        network_seconds: Of the network alone, without pre- and post-processing; None of a method without one.
        flops: Of a network and one image, or None; two for each multiplication with its addition.
        memory: Bytes that PyTorch had in use on the GPU at most, for a network and one image, or None.
        how: One line that says how it was measured.
        processor: Name of the processor or the GPU that did the work.
        device, threads, dtype: ``"cpu"`` or ``"cuda"``, threads that PyTorch had, and the numbers' kind.
        height, width: Of the timed images, in px.
        runs, warm_up: Timed images, and those before them that were not.
        quiet: Whether no other program had the processor meanwhile, as far as processor time tells.
    """

    fps: float
    seconds_an_image: float
    flops: int | None = None
    memory: int | None = None
    how: str = ""
    processor: str | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None
    network_seconds: float | None = None
    device: str | None = None
    threads: int | None = None
    dtype: str | None = None
    height: int | None = None
    width: int | None = None
    runs: int | None = None
    warm_up: int | None = None
    quiet: bool | None = None

    def of_scored_images(self, seconds: Sequence[float]) -> "Speed":
        """This speed, or where one image alone was timed for it, that of the images that were scored one by one.

        Arguments:
            seconds: Of each image that was scored on the same processor.
        """
        if self.runs != 1 or len(seconds) < 2:
            return self
        lower, median, upper = quantiles(seconds, n=4, method="inclusive")
        return replace(
            self,
            fps=1 / median,
            seconds_an_image=median,
            lower_quartile=lower,
            upper_quartile=upper,
            how=f"median of the {len(seconds)} images as they were scored, beside others, one thread a worker",
            height=None,
            width=None,
            runs=len(seconds),
            warm_up=0,
            quiet=None,
        )

    @property
    def marks(self) -> str:
        """Letters for what makes it less than the protocol's median: ``"1"`` of one run alone, ``"B"`` of a busy processor."""
        return "1" * (self.runs == 1) + "B" * (self.quiet is False)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One method on one data set.

    Attributes:
        method, title: Name of the row, and what a table prints.
        dataset, split: Names, as results are filed.
        status, reason: What came of it, and one line on anything but `Status.OK`.
        n_images, n_split: Images that were scored, and those of the whole test list.
        left_out: Why images that were asked for were not scored, by id; of the first of them.
        metrics: By protocol and metric: fractions, None where undefined. Empty where nothing was scored.
        ci95: By protocol and metric: lower and upper end of the 95 % interval.
        family, fidelity, fidelity_scope: Of the method's card. The fidelity is `OUTSIDE` where another program predicted.
        threshold: The policy as it is spelled, or `AS_GIVEN`.
        oracle: Whether the policy looked at the masks.
        from_sweep: Whether the cut was chosen after scoring, from 256 stored levels: only the exact protocol has metrics then.
        params: Learnable values of a network, or None.
        weights, speed: None where there are none.
        score_kind: ``"raw"``, ``"logit"`` or ``"probability"``; None of masks that another program predicted.
        auc: Area under the pixel-level ROC curve.
        signal: SCRG and BSF, from `metrics.mean_signal`.
        strata: Pd by size and contrast, from `metrics.strata`.
        sweep: Counts of the set at 256 cuts, by column.
        notes: What the method told, and of how many images.
        data_notes: What is to be known of the images themselves.
        metric_size: ``"native"`` where metrics are of the images' own size, else that of the network's input, to which images
            and masks were resized, such as ``"512x512"``.
        key: All that the row depends on; ``data`` is the fingerprint of the images, the rest is the journal's key.
        trained_on_test: Number of test images in the training list of the weights.
        own_split: Whether the images are not those of the package's list of this name, or None where none was scored.
        code: This project's commit.
        images_sha256: Of the CSV that has a line an image, or None where it is not known.
    """

    method: str
    title: str
    dataset: str
    split: str
    status: Status
    reason: str | None = None
    n_images: int
    metrics: dict[str, dict[str, float | None]]
    family: str | None = None
    fidelity: str | None = None
    fidelity_scope: str = ""
    threshold: str | None = None
    oracle: bool = False
    from_sweep: bool = False
    params: int | None = None
    weights: WeightsFacts | None = None
    n_split: int | None = None
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    score_kind: str | None = None
    auc: float | None = None
    signal: dict[str, float | None] | None = None
    sweep: dict[str, list[int]] | None = None
    speed: Speed | None = None
    notes: dict[str, int] = field(default_factory=dict[str, int])
    data_notes: tuple[str, ...] = ()
    metric_size: str = "native"
    ci95: dict[str, dict[str, Interval]] = field(default_factory=dict[str, dict[str, Interval]])
    strata: dict[str, list[Stratum]] | None = None
    key: dict[str, Any] | None = None
    trained_on_test: int = 0
    own_split: bool | None = None
    code: str | None = None
    images_sha256: str | None = None

    @property
    def fidelity_label(self) -> str | None:
        """The fidelity with its scope, as `zoo.MethodCard` prints it; None where it is not known."""
        return self.fidelity and fidelity_label(self.fidelity, self.fidelity_scope)

    @property
    def ok(self) -> bool:
        """Whether there are figures: of every image that was asked for, or of those that could be scored."""
        return self.status in (Status.OK, Status.INCOMPLETE)

    @property
    def whole(self) -> bool:
        """Whether every image of the test list was scored."""
        return self.status is Status.OK and self.n_images == self.n_split

    @property
    def fingerprint(self) -> str | None:
        """Of the images that were scored, or None where it is not known."""
        return (self.key or {}).get("data")

    @property
    def journal_key(self) -> dict[str, Any]:
        """The key of the journal that the row was made from."""
        return {name: value for name, value in (self.key or {}).items() if name != "data"}

    @property
    def digest(self) -> str:
        """Of all that was measured, and not of when, where from and by which version of the code."""
        return checksum({k: v for k, v in to_plain(self).items() if k not in ("speed", "key", "code")})

    def to_json(self) -> dict[str, Any]:
        """The row as a dict that JSON holds, with the version of its form and a checksum."""
        return summed({"version": VERSION, **to_plain(self)})

    @classmethod
    def from_json(cls, data: Any) -> "Row":
        """The reverse of `to_json`.

        Raises:
            ValueError: A key is absent, unknown or of another kind, or holds what no run writes; the version is not known, or
                the checksum does not fit. The text says which.
        """
        if not is_object(data):
            raise ValueError(f"{type(data).__name__} where an object with keys belongs")
        entries = {key: value for key, value in data.items() if key not in ("version", NAME)}
        version = data.get("version")
        if version not in (None, 1, VERSION) or isinstance(version, (bool, float)):
            raise ValueError(f"version {version!r} of its form; this program knows {VERSION}")
        row = from_plain(cls, _versioned(entries) if version is None else entries)
        if version == VERSION:  # those before had no checksum
            checked(data)
        check(row, ROW | {"fidelity": one_of(None, *FIDELITIES, OUTSIDE)})
        check(row.speed, SPEED if row.speed else {})
        return row


def _versioned(data: dict[str, Any]) -> dict[str, Any]:
    """A row from before there were versions: it had the fidelity and its scope in one text."""
    fidelity, _, scope = str(data.get("fidelity") or "").partition(" (")
    return {**data, "fidelity": fidelity or None, "fidelity_scope": scope.removesuffix(")")}
