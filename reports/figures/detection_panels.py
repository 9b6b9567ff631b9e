"""One image with what became of its targets under each method."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from irsam_zoo.metrics.components import label_components
from irsam_zoo.metrics.scene import Scene
from irsam_zoo.reports.figures.style import BOXES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from irsam_zoo.metrics.typing import Ints, Mask

INSET = 0.42  # of the panel's sides
MARGIN = 0.03  # of the longer side of the image, around what a box holds
ZOOM = 4  # times the longer side of the shown target is that of an inset
SMALLEST_ZOOM = 24  # px
DRAWN = 256  # px, of the longer side of a mask; of more, single pixels would get lost in print


def outcomes(mask: "Mask", target: "Mask") -> "dict[str, Ints]":
    """The boxes around what a method found, missed, and took for a target, matched as the `exact` protocol does.

    Arguments:
        mask, target (np.ndarray): HxW bool.

    Returns:
        dict: ``"detected"``: (M, 4) int64 top, left, bottom, right (the last two exclusive) of each matched target and its
        component together; ``"missed"``: of targets; ``"false alarm"``: of predicted components.
    """
    pair = Scene(target, mask)
    found, by = pair.matched
    true, predicted = _corners(pair.targets.box), _corners(pair.predictions.box)
    both = np.concatenate(
        [np.minimum(true[found, :2], predicted[by, :2]), np.maximum(true[found, 2:], predicted[by, 2:])], axis=1
    )
    return {"detected": both, "missed": np.delete(true, found, axis=0), "false alarm": np.delete(predicted, by, axis=0)}


class DetectionPanels:
    """An image, and what became of its targets under each method.

    Arguments:
        image (np.ndarray): HxW uint8.
        target (np.ndarray): HxW bool.
        masks: HxW bool arrays, one a method.
    """

    def __init__(self, image: np.ndarray, target: "Mask", masks: "Sequence[Mask]"):
        self.image, self.target, self.masks = image, target, masks
        self.found = [outcomes(mask, target) for mask in masks]
        self.focus = self._focus()
        self.window = self._window()
        self.corner = self._corner()

    def draw_image(self, axis: "Axes") -> None:
        """The image, with a frame around what the insets show."""
        axis.imshow(self.image, cmap="gray")
        top, left, bottom, right = self.window
        axis.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fc="none", ec="white", lw=0.5))
        self._inset(axis, self.image, "white", vmin=self.image.min(), vmax=self.image.max())

    def draw_truth(self, axis: "Axes") -> None:
        """The target mask."""
        self._draw(axis, self.target, outcomes(self.target, self.target))

    def draw_method(self, axis: "Axes", place: int) -> None:
        """The mask at this place, with its boxes."""
        self._draw(axis, self.masks[place], self.found[place])

    def _draw(self, axis: "Axes", mask: "Mask", found: "Mapping[str, Ints]") -> None:
        height, width = mask.shape
        axis.imshow(_shrunk(mask), cmap="gray", vmin=0, vmax=1, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
        for kind, boxes in found.items():
            colour, dashes = BOXES[kind]
            for top, left, bottom, right in _grown(boxes, mask.shape):
                corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
                axis.add_patch(Rectangle(corner, *size, fc="none", ec=colour, lw=0.8, ls=dashes))
        colour, _ = BOXES["missed" if _among(self.focus, found["missed"]) else "detected"]
        self._inset(axis, mask, colour if len(found["detected"]) + len(found["missed"]) else "white", vmin=0, vmax=1)

    def _inset(self, axis: "Axes", picture: np.ndarray, colour: str, **levels: Any) -> None:
        top, left, bottom, right = self.window
        low, high = ((0.01, 1 - INSET - 0.01)[int(end)] for end in self.corner)
        inset = axis.inset_axes((low, high, INSET, INSET))
        inset.imshow(picture[top:bottom, left:right], cmap="gray", interpolation="nearest", **levels)
        inset.set(xticks=[], yticks=[])
        inset.spines[:].set(visible=True, color=colour, linewidth=0.8)

    def _focus(self) -> "Ints | None":
        """The box of the target on which the methods differ most; without a target, of the largest false alarm, or None."""
        targets = _corners(label_components(self.target).box)
        if len(targets):
            missed = [np.mean([_among(box, found["missed"]) for found in self.found]) for box in targets]
            return targets[np.argmin(np.abs(np.array(missed) - 0.5))]
        false = np.concatenate([found["false alarm"] for found in self.found])
        return false[np.argmax((false[:, 2] - false[:, 0]) * (false[:, 3] - false[:, 1]))] if len(false) else None

    def _window(self) -> tuple[int, int, int, int]:
        """The square that insets show, within the image: top, left, bottom, right."""
        shape = np.array(self.image.shape)
        box = np.concatenate([shape // 2, shape // 2]) if self.focus is None else self.focus
        side = min(max(ZOOM * max(box[2:] - box[:2]), SMALLEST_ZOOM), *(shape // 2))
        start = np.clip((box[:2] + box[2:] - side) // 2, 0, shape - side)
        return (*start.tolist(), *(start + side).tolist())

    def _corner(self) -> tuple[bool, bool]:
        """The corner, as (right, upper), at which insets cover the fewest boxes, in all panels."""
        boxes = np.concatenate([_grown(b, self.image.shape) for found in self.found for b in found.values()] + [[self.window]])
        sides = np.array(self.image.shape) * (INSET + 0.02)
        tried = {}
        for right in (True, False):
            for upper in (False, True):
                rows = boxes[:, 0] < sides[0] if upper else boxes[:, 2] > self.image.shape[0] - sides[0]
                columns = boxes[:, 3] > self.image.shape[1] - sides[1] if right else boxes[:, 1] < sides[1]
                tried[right, upper] = np.count_nonzero(rows & columns)
        return min(tried, key=lambda corner: tried[corner])


def _corners(boxes: "Ints") -> "Ints":
    """Top, left, bottom, right of boxes that are given by top, left, height, width."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _grown(boxes: "Ints", shape: tuple[int, ...]) -> "Ints":
    """Boxes with a margin, within the image."""
    margin = max(round(MARGIN * max(shape)), 2)
    low, high = np.maximum(boxes[:, :2] - margin, 0), np.minimum(boxes[:, 2:] + margin, shape)
    return np.concatenate([low, high], axis=1)


def _among(box: "Ints | None", boxes: "Ints") -> bool:
    return bool((boxes == box).all(axis=1).any())


def _shrunk(mask: "Mask") -> "Mask":
    """A mask of at most `DRAWN` px a side, in which every component is still seen."""
    factor = -(-max(mask.shape) // DRAWN)
    rows, columns = (np.arange(0, length, factor) for length in mask.shape)
    return np.maximum.reduceat(np.maximum.reduceat(mask, rows, axis=0), columns, axis=1)
