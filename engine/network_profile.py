"""What a network computes, in which memory, and how long it takes without what is around it; see `engine.profiling`."""

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from irsam_zoo.engine.profiling import timed
from irsam_zoo.zoo.neural import NeuralDetector


def parameters_by_part(detector: NeuralDetector) -> dict[str, int]:
    """Learnable values of each direct part of a `NeuralDetector`'s network, by its name."""
    return {name: sum(p.numel() for p in part.parameters()) for name, part in detector.network.named_children()}


def count_flops(detector: NeuralDetector, image: np.ndarray) -> int:
    """FLOPs of one prediction of a `NeuralDetector`, as the protocol counts them."""
    learned = [parameter for parameter in detector.network.parameters() if parameter.requires_grad]
    # The counter wants a gradient function of a module's inputs that require gradients, and a parameter that is one has none.
    detector.network.requires_grad_(False)
    try:
        with FlopCounterMode(display=False) as counter:
            detector.predict(image)
    finally:
        for parameter in learned:
            parameter.requires_grad_(True)
    return counter.get_total_flops()


def peak_memory(detector: NeuralDetector, image: np.ndarray) -> int | None:
    """Bytes in use at most during one prediction of a `NeuralDetector`, as in the protocol; None without CUDA."""
    if detector.device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(detector.device)
    detector.predict(image)
    return torch.cuda.max_memory_allocated(detector.device)


@torch.inference_mode()
def network_seconds(detector: NeuralDetector, image: np.ndarray, runs: int) -> float:
    """Median seconds of the network alone, without pre- and post-processing."""
    grey = torch.from_numpy(np.asarray(image, np.float32))[None, None].to(detector.device)
    inputs = detector.preprocess(grey).contiguous(memory_format=detector.memory_format)

    def run():
        with detector.autocast():
            detector.forward(inputs)

    return float(np.median([timed(run, detector.device)[0] for _ in range(runs)]))
