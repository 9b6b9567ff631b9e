"""What the classical methods that compute on torch tensors have in common."""

from typing import Any, Self

import numpy as np
import torch

from irsam_zoo.zoo import Detector


class TensorDetector(Detector):
    """A detector that computes in float64 on a torch device.

    A method implements `score_tensor`, or `score_batch` and sets `batch_size` where it solves several images at once. IPI and
    NRAM stay with one: the eigenvectors of a single large Gram matrix are nearly all of their work, and fill a device.

    Attributes:
        device (torch.device): Where it computes; `to` changes it.
    """

    device: torch.device

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.device = torch.device("cpu")

    def to(self, device: str | torch.device) -> Self:
        self.device = torch.device(device)
        return self

    def score_tensor(self, image: torch.Tensor) -> torch.Tensor:
        """The method itself: HxW float64 tensor on `device`, not constant, to the HxW score map."""
        raise TypeError(f"{type(self).__name__} does not define score_tensor(image)")

    def score_batch(self, images: torch.Tensor) -> torch.Tensor:
        """The method on a BxHxW float64 tensor on `device`, none of its images constant: BxHxW score maps."""
        return torch.stack([self.score_tensor(image) for image in images])

    def score(self, image: np.ndarray) -> np.ndarray:
        return self._score_batch(image[None])[0]

    def note_cap(self, solution: Any) -> None:
        """Tell of a solver's solution that did not converge."""
        if not solution.converged:
            self.note(f"the solver stopped at its cap of {solution.iterations} iterations")

    def _score_batch(self, images: np.ndarray) -> np.ndarray:
        constant = images.min((1, 2)) == images.max((1, 2))
        if constant.any():  # holds no target, and most methods divide by its contrast
            scores = np.zeros(images.shape)
            if not constant.all():
                scores[~constant] = self._score_batch(images[~constant])
            return scores
        return self.score_batch(torch.as_tensor(images, device=self.device)).numpy(force=True)
