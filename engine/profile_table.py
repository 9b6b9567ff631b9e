"""The speed of methods on square images, by the protocol of `engine.profiling`; no data set and no weights are needed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from irsam_zoo.datasets.backgrounds import BACKGROUNDS, Dice
from irsam_zoo.datasets.targets import add_targets
from irsam_zoo.engine.cell import network_of
from irsam_zoo.engine.network_profile import parameters_by_part
from irsam_zoo.engine.profiling import best_batch, measure_speed
from irsam_zoo.results.row import Speed
from irsam_zoo.zoo import build_method, list_methods
from irsam_zoo.zoo.errors import FAILURES, one_line


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One method at one size.

    Attributes:
        method, title: Its names.
        size: Side of the images in px.
        speed: For single images; None where the method failed.
        batch, batch_fps: The batch of most images a second, and those.
        num_parameters: As the method's row states them; None of a method without a network.
        params: Learnable values by part of the network, unused ones too.
        reason: Why there is no speed, or None.
    """

    method: str
    title: str
    size: int
    speed: Speed | None = None
    batch: int | None = None
    batch_fps: float | None = None
    num_parameters: int | None = None
    params: dict[str, int] = field(default_factory=dict)
    reason: str | None = None


def profile_methods(methods: Iterable[str] | None, sizes: Sequence[int], *, device: str, threads: int) -> Iterator[Profile]:
    """Measure methods, one after the other, on scenes of the synthetic data set's generator.

    Arguments:
        methods: Names or configuration files; None for all registered ones.
        sizes: Sides of the images in px.
        device: ``"cpu"`` or ``"cuda"``.
        threads: Of PyTorch, on a CPU.

    Yields:
        Profile: For each method and size. One that fails has the reason.

    Raises:
        UsageError: A name is not known.
    """
    torch.set_num_threads(threads)
    for name in methods or list_methods():
        detector = build_method(name, weights=None).to(device)
        named: dict[str, Any] = dict(method=detector.name, title=detector.card.title)
        if network := network_of(detector):
            network.warn_of_random_weights = False  # they take as long
            named |= dict(num_parameters=network.num_parameters, params=parameters_by_part(network))
        for size in sizes:
            images = [square_scene(kind, size) for kind in range(len(BACKGROUNDS))]
            try:
                speed = measure_speed(detector, images)
                batch, rate = best_batch(detector, images[0]) if detector.batch_size > 1 else (1, speed.fps)
                yield Profile(size=size, speed=speed, batch=batch, batch_fps=rate, **named)
            except FAILURES as error:
                yield Profile(size=size, reason=one_line(error), **named)


def square_scene(kind: int, side: int) -> np.ndarray:
    """A (side, side) uint8 image of one of the kinds of scenes, with targets."""
    dice = Dice(0, kind, side)
    return add_targets(dice, BACKGROUNDS[kind](dice, side))[0]
