"""Which images of a batch an iterative solver still works on."""

from typing import Any

import torch


class Unfinished:
    """The images of a batch whose solver has not ended yet; false when there are none.

    An image leaves the batch in the iteration in which it would end alone, so that it gets the same result.

    Arguments:
        count: Number B of images.

    Attributes:
        results (list): For each image the tuple that `settle` was given, cut to the image; None before.
    """

    def __init__(self, count: int):
        self.results: list[Any] = [None] * count
        self._places = list(range(count))

    def __bool__(self) -> bool:
        return bool(self._places)

    def settle(self, done: torch.Tensor, result: tuple[Any, ...], *states: torch.Tensor) -> list[torch.Tensor]:
        """Store the results of the images that are done, and take these out of the solver's state.

        Arguments:
            done: Bool tensor of the images that are left, in their order.
            result: Tuple of tensors with these images along the first dimension, and of what holds for all images. A
                tensor of one number an image gives plain numbers.
            states: Tensors with these images along the first dimension.

        Returns:
            list[torch.Tensor]: The states without the images that are done; the same objects where none is.
        """
        over = done.tolist()
        if not any(over):
            return list(states)
        for position, place in enumerate(self._places):
            if over[position]:
                self.results[place] = tuple(_of_image(part, position) for part in result)
        left = [position for position, ended in enumerate(over) if not ended]
        self._places = [self._places[position] for position in left]
        return [state[left] for state in states]


def _of_image(part: Any, position: int) -> Any:
    if not isinstance(part, torch.Tensor):
        return part
    return part[position] if part.ndim > 1 else part[position].item()
