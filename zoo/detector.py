"""The contract of a method: an image in, a score map out."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from irsam_zoo.zoo.card import MethodCard
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.memory import keep_freed_memory
from irsam_zoo.zoo.thresholds import ScoreKind, ThresholdSpec, build_threshold

if TYPE_CHECKING:  # no method of NumPy waits for PyTorch
    import torch
    from torch import nn

    from irsam_zoo.zoo.weights.loaded import Weights

SMALLEST_SIDE = 16
FLOAT32 = "float32"
MetricSize = Literal["native", "input"]  # whether metrics are of the images' own size, or of a network's input


class Detector:
    """A detector of small targets in one infrared image. A method implements `score`; the rest is here.

    Attributes:
        card (MethodCard): Title, source, fidelity. Required on every registered class. Options of the algorithm that differ
            from the class's own are named behind the fidelity, unless a configuration brings a card for them.
        score_kind: ``"raw"`` for a score map in the algorithm's own units, ``"logit"`` for a network's logit.
        default_threshold: The policy that `segment` uses unless the caller names one.
        name: The name it was built by; set by `build_method`.
        parameters: The keyword arguments it was built with; set by `build_method`.
        batch_size: Largest number of images of one size that `predict_batch` scores together.
        group_size: Number of frames that `predict_sequence` looks at together.
        device: Where it computes: ``"cpu"``, or a torch device where `to` is more than this class's.
        network (nn.Module | None), weights (Weights | None), num_parameters (int | None), input_size (int | None): Of a
            `NeuralDetector`; None of any other.
        precision: The numbers that it computes in, in words.
    """

    card: MethodCard
    score_kind: ScoreKind = "raw"
    # The rule that DNANet's group applies to every traditional method; also in the code of MSL-STIPT's demo.
    default_threshold = "adaptive(0.7, 0.5)"
    name = ""
    parameters: dict[str, Any] = {}
    batch_size = 1
    group_size = 1
    device: "str | torch.device" = "cpu"
    network: "nn.Module | None" = None
    weights: "Weights | None" = None
    num_parameters: int | None = None
    input_size: int | None = None
    precision: str = FLOAT32

    def __init__(self, *, threshold: ThresholdSpec | None = None):
        self.threshold = build_threshold(self.default_threshold if threshold is None else threshold)
        self._notes: list[str] = []
        keep_freed_memory()  # in a program of one's own too: networks are up to 1.5 times slower without

    @classmethod
    def completed(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Constructor options with those that the caller left to a file, such as a checkpoint's; the caller's own win."""
        return options

    def score(self, image: np.ndarray) -> np.ndarray:
        """The method itself.

        Arguments:
            image (np.ndarray): HxW float64, 0..255, finite, H and W at least 16. A copy: it may be written to.

        Returns:
            np.ndarray: HxW score map, higher = more target-like.
        """
        raise TypeError(f"{type(self).__name__} does not define score(image)")

    def predict(self, image: ArrayLike) -> np.ndarray:
        """Score one image.

        Arguments:
            image (np.ndarray): HxW uint8 or float, 0..255, H and W at least 16. It is not changed.

        Returns:
            np.ndarray: HxW float32 score map: the original algorithm's raw output, or a network's logit.

        Raises:
            ZooError: The image is not one grey image of finite numbers, or the method returned no finite map.
        """
        checked = checked_image(image)
        return self._checked_score(self.score(checked), checked.shape)

    def predict_batch(self, images: Sequence[ArrayLike]) -> list[np.ndarray]:
        """Score several images; those of equal size are scored together, `batch_size` at a time.

        Arguments:
            images: HxW arrays of any sizes, as `predict` takes them.

        Returns:
            list[np.ndarray]: HxW float32 score maps, in the order of the images.

        Raises:
            ZooError: As `predict` does.
        """
        checked = [checked_image(image) for image in images]
        places: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(checked):
            places.setdefault(image.shape, []).append(place)
        scores: dict[int, np.ndarray] = {}
        for shape, of_shape in places.items():
            for start in range(0, len(of_shape), self.batch_size):
                chunk = of_shape[start : start + self.batch_size]
                for place, score in zip(chunk, self._score_batch(np.stack([checked[k] for k in chunk])), strict=True):
                    scores[place] = self._checked_score(score, shape)
        return [scores[place] for place in range(len(checked))]

    def predict_sequence(self, frames: Sequence[ArrayLike]) -> Sequence[np.ndarray]:
        """Score the frames of a sequence: here, each by itself; a method of several frames takes `group_size` of them together.

        Arguments:
            frames: T HxW arrays of one size, as `predict` takes them, in their order.

        Returns:
            Sequence[np.ndarray]: T HxW float32 score maps.

        Raises:
            ZooError: As `predict` does.
        """
        return self.predict_batch(frames)

    def segment(self, image: ArrayLike) -> np.ndarray:
        """HxW bool mask of one image by the threshold policy."""
        return self.threshold(self.predict(image))

    def at_input_size(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An image and its label (HxW uint8 each) at the size at which the method works, for metrics taken there.

        That is their own size but for a network that resizes images: its input is a square, to which the literature also
        resizes the mask, by nearest neighbour.
        """
        return image, label

    def to(self, device: "str | torch.device") -> Self:
        """Move to a torch device. Methods that run on NumPy stay where they are, and do not define this."""
        return self

    @property
    def scores_in_batches(self) -> bool:
        """Whether images are best scored together in one process, and not one by one in several."""
        return self.network is not None or (str(self.device).startswith("cuda") and self.batch_size > 1)

    def unavailable(self) -> str | None:
        """Why this method cannot be run as it stands and what to do about it, or None.

        The text may hold the fields ``{method}``, ``{dataset}`` and ``{options}`` (other options of the command line, each
        with a space before it), which the caller fills in with `str.format`.
        """
        return None

    def note(self, text: str) -> None:
        """Tell the user once, and the result row, of something that happened, such as a solver that hit its cap."""
        if text not in self._notes:
            warnings.warn(f"{self.name or type(self).__name__}: {text}", stacklevel=2)
        self._notes.append(text)

    def take_notes(self) -> list[str]:
        """The notes since the last call, which are then forgotten."""
        notes, self._notes = self._notes, []
        return notes

    def _score_batch(self, images: np.ndarray) -> Sequence[np.ndarray] | np.ndarray:
        """The score maps of images of one size: BxHxW float64 to B HxW maps."""
        return [self.score(image) for image in images]

    def _checked_score(self, score: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
        score = finite_map(score, shape, self.name or type(self).__name__)
        if self.score_kind == "logit" and look_like_probabilities(score):
            self.note("all scores are between 0 and 1, as of probabilities, though the method's score_kind is logit")
        return score


def finite_map(score: ArrayLike, shape: tuple[int, ...], method: str) -> np.ndarray:
    """A score map as HxW float32.

    Arguments:
        score: What a method returned.
        shape: Of the image.
        method: Its name, for the error.

    Raises:
        ZooError: It is of another shape, or holds anything but finite numbers.
    """
    array = np.asarray(score)
    if array.shape != shape:
        raise ZooError(f"{method} returned a score map of {array.shape} for an image of {shape}")
    if array.dtype.kind not in "buif":
        raise ZooError(f"{method} returned a score map of {array.dtype}, not of real numbers")
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which is told
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise ZooError(f"{method} returned NaN or Inf scores")
    return array


def look_like_probabilities(scores: np.ndarray) -> bool:
    """Whether floating-point scores all lie between 0 and 1 and are not 0 and 1 alone, as those of a mask are."""
    if scores.dtype.kind != "f" or scores.size == 0 or scores.min() < 0 or scores.max() > 1:
        return False
    return bool(((scores > 0) & (scores < 1)).any())


def checked_image(image: ArrayLike) -> np.ndarray:
    """A float64 copy of a grey image.

    Raises:
        ZooError: Not HxW, smaller than 16 px on a side, not numeric, not finite, or not in grey levels 0..255.
    """
    array = np.asarray(image)
    if array.ndim != 2:
        raise ZooError(f"expected one grey image of shape (H, W), got shape {array.shape}; convert colour to grey first")
    if min(array.shape) < SMALLEST_SIDE:
        raise ZooError(f"image of {array.shape[0]}x{array.shape[1]} is smaller than {SMALLEST_SIDE} px on a side")
    if array.dtype.kind not in "uif":
        raise ZooError(f"expected a numeric image of grey levels, got dtype {array.dtype}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ZooError("image holds NaN or Inf")
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise ZooError(f"image holds values from {low:g} to {high:g}; expected grey levels 0..255, so scale it first")
    if look_like_probabilities(array):
        raise ZooError("all values of the image are between 0 and 1; expected grey levels 0..255, so multiply it by 255")
    return array
