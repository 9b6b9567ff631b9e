"""Methods on images of one's own: score maps, masks and targets. Nothing but the images is needed."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from irsam_zoo import PROGRAM
from irsam_zoo.engine.frames import Frame, Source
from irsam_zoo.metrics.components import label_components
from irsam_zoo.results.record import ImageFailure
from irsam_zoo.results.store import check_name
from irsam_zoo.results.targets import Target
from irsam_zoo.zoo import Detector, UsageError, build_method, build_threshold
from irsam_zoo.zoo.errors import FAILURES, one_line
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import MethodSpec, detector_class, read_method
from irsam_zoo.zoo.weights.find import JOINED, find_for_any_image
from irsam_zoo.zoo.weights.folders import places, weight_folders
from irsam_zoo.zoo.weights.known_weights import entry_named

TOGETHER = 8  # frames that are handed to a method at a time


class Prediction(NamedTuple):
    """What a method says of an image: HxW float32 scores, HxW bool mask, and its `Target`s."""

    score: np.ndarray
    mask: np.ndarray
    targets: list[Target]


class Predicted(NamedTuple):
    """A frame with the `Prediction` of each method by name."""

    frame: Frame
    by_method: dict[str, Prediction]


def open_methods(
    methods: Iterable[str],
    *,
    checkpoints: str | Path,
    checkpoint: str | Path | None = None,
    threshold: str | None = None,
    device: str = "cpu",
) -> dict[str, Detector]:
    """Build the methods, networks with their weights.

    Arguments:
        methods: Names or configuration files.
        checkpoints: Folder of weights, of which those of a joined data set fit any image.
        checkpoint: File of weights for the one network among the methods.
        threshold: Policy for all, or None for each method's own.
        device: ``"cpu"`` or ``"cuda"``.

    Returns:
        dict[str, Detector]: By name.

    Raises:
        UsageError: A name is unknown or given twice, the policy needs masks, or a network has no weights.
    """
    if threshold is not None and build_threshold(threshold).oracle:
        raise UsageError(f"--threshold {threshold}: it looks at masks, and there are none")
    specs = [read_method(method) for method in methods]
    networks = [spec.name for spec in specs if issubclass(detector_class(spec.options["type"]), NeuralDetector)]
    if checkpoint is not None and len(networks) != 1:
        raise UsageError(f"--checkpoint names the weights of one network, and there are {len(networks)} among the methods")
    detectors = {}
    for spec in specs:
        check_name("method", spec.name)
        if spec.name in detectors:
            raise UsageError(f"method {spec.name} is named twice")
        options = dict(spec.options)
        if threshold is not None:
            options["threshold"] = threshold
        if spec.name in networks and (checkpoint or "checkpoint" not in options):
            found = checkpoint or find_for_any_image(checkpoints, spec.name)
            options |= {"checkpoint": str(found)} if found else {}
        detector = build_method(MethodSpec(spec.name, options, spec.card), weights=None).to(device)
        missing = detector.unavailable()
        if missing is not None:
            raise UsageError(f"{spec.name}: {_remedy(spec.name, checkpoints) if spec.name in networks else missing}")
        detectors[spec.name] = detector
    return detectors


def predict_source(detectors: Mapping[str, Detector], source: Source) -> Iterator[Predicted | ImageFailure]:
    """Run methods on the frames of a source.

    Arguments:
        detectors (dict[str, Detector]): By name.
        source (Source): Its frames are read a few at a time.

    Yields:
        Predicted | ImageFailure: For each frame; besides, an `ImageFailure` for each method that cannot predict one.
    """
    whole = math.lcm(*(detector.group_size for detector in detectors.values())) if source.sequence else 1
    chunk = []
    for frame in source.frames():
        if isinstance(frame, ImageFailure):
            yield frame
            continue
        chunk.append(frame)
        if len(chunk) == whole * -(-TOGETHER // whole):
            yield from _predict(detectors, chunk, source.sequence)
            chunk = []
    yield from _predict(detectors, chunk, source.sequence)


def find_targets(mask: np.ndarray, score: np.ndarray) -> list[Target]:
    """The `Target`s of an HxW bool mask, with the scores of an HxW score map."""
    found = label_components(mask)
    targets = []
    for number, (area, (y, x), (top, left, height, width)) in enumerate(
        zip(found.area.tolist(), found.centroid.tolist(), found.box.tolist(), strict=True), start=1
    ):
        window = slice(top, top + height), slice(left, left + width)
        scores = score[window][found.labels[window] == number]
        peak, mean = float(scores.max()), float(scores.mean(dtype=np.float64))
        targets.append(Target(number, x, y, left, top, width, height, area, peak, mean))
    return targets


def _predict(detectors: Mapping[str, Detector], frames: Sequence[Frame], sequence: bool) -> Iterator[Predicted | ImageFailure]:
    """What `predict_source` yields for a few frames."""
    maps = {}
    for name, detector in detectors.items():
        for frame, score in zip(frames, _scores(detector, frames, sequence), strict=True):
            if isinstance(score, str):
                yield ImageFailure(frame.id, f"{name}: {score}")
            else:
                mask = detector.threshold(score)
                maps[frame.id, name] = Prediction(score, mask, find_targets(mask, score))
    for frame in frames:
        found = {name: maps[frame.id, name] for name in detectors if (frame.id, name) in maps}
        if found:
            yield Predicted(frame, found)


def _scores(detector: Detector, frames: Sequence[Frame], sequence: bool) -> list[np.ndarray | str]:
    """The score map of each frame, or why there is none."""
    if not frames:
        return []
    images = [frame.image for frame in frames]
    try:
        return list(detector.predict_sequence(images) if sequence else detector.predict_batch(images))
    except FAILURES as error:
        step = detector.group_size if sequence else 1
        if len(frames) <= step:
            return [one_line(error)] * len(frames)
        parts = [frames[start : start + step] for start in range(0, len(frames), step)]
        return [score for part in parts for score in _scores(detector, part, sequence)]  # one must not take the others along


def _remedy(method: str, checkpoints: str | Path) -> str:
    """What to do about a network without weights."""
    known = entry_named(method)
    if known is not None:
        return f"its file is not in {places(checkpoints)}; get it from {known.url}, or name its folder by --checkpoints"
    others = [str(path) for folder in weight_folders(checkpoints) for path in sorted(folder.glob(f"{method}_*.safetensors"))]
    if others:
        return f"none of its weights are of several data sets; name those of one, such as --checkpoint {others[0]}"
    return f"no weights in {places(checkpoints)}; name some by --checkpoint, or: {PROGRAM} train {method} --dataset {JOINED}"
