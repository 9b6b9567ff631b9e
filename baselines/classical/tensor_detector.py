"""What the classical methods that compute on torch tensors have in common."""

import numpy as np
import torch

from zoo import Detector


class TensorDetector(Detector):
    """A detector that computes in float64 on a torch device. A method implements `score_tensor`.

    Attributes:
        device (torch.device): Where it computes; `to` changes it.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.device = torch.device("cpu")

    def to(self, device):
        self.device = torch.device(device)
        return self

    def score_tensor(self, image):
        """The method itself: HxW float64 tensor on `device`, not constant, to the HxW score map."""
        raise TypeError(f"{type(self).__name__} does not define score_tensor(image)")

    def score(self, image):
        if image.min() == image.max():  # holds no target, and most methods divide by its contrast
            return np.zeros(image.shape)
        return self.score_tensor(torch.as_tensor(image, device=self.device)).numpy(force=True)

    def note_cap(self, solution):
        """Tell of a solver's solution that did not converge."""
        if not solution.converged:
            self.note(f"the solver stopped at its cap of {solution.iterations} iterations")
