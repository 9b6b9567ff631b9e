"""How many steps a network can take in a given processor time."""

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.optim import build_optim_wrapper
from torch.utils.data import default_collate as stack

from irsam_zoo.training.capture import BEFORE_CAPTURE, CudaGraphs
from irsam_zoo.training.data import TrainingSet
from irsam_zoo.training.provenance import digest
from irsam_zoo.training.recipe import Recipe
from irsam_zoo.training.squares import DeviceSquares, can_cut
from irsam_zoo.training.step import Step
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.weights.header import read_header

# A step is timed a few times after a first one, which also allocates; no longer than this part of the budget a phase.
TIMED = 3
TIMED_IN_A_ROW = 20  # of a GPU, whose work is waited for once
PROBE_SHARE = 0.02
DIGITS = 2  # of a number of steps: timing noise is not to make two plans of one


def plan_steps(
    recipe: Recipe,
    detector: NeuralDetector,
    samples: Callable[[dict[int, list[dict[str, Any]]]], TrainingSet],
    *,
    budget: float,
    device: str,
    identity: Any,
    places: Sequence[str | Path],
) -> tuple[Recipe, dict[str, Any]]:
    """Give each phase of a recipe its number of steps, and choose the precision.

    A plan that was made before for the same run is taken over, so that a run that is resumed or repeated takes the same steps.

    Arguments:
        recipe (Recipe): With phases.
        detector (NeuralDetector): To be trained; it is left as it was.
        samples: Function of augmentations, as `Recipe.augmentations` gives them, that returns a `TrainingSet`.
        budget: Processor seconds (on CUDA, seconds of the GPU).
        device: ``"cpu"`` or ``"cuda"``.
        identity: JSON-able: whatever tells this run from others, besides recipe, budget and device.
        places: The work folder and the folder of checkpoints.

    Returns:
        tuple[Recipe, dict]: The recipe with ``steps`` in its phases, and the plan: ``key``, ``budget_seconds``.
    """
    key = digest([json.dumps([identity, budget, device, asdict(recipe)], sort_keys=True)])[:16]
    work_dir, checkpoints = (Path(place) for place in places)
    note = work_dir / "plan.json"
    known = _known(key, note, checkpoints)
    if known is None:
        known = _probed(recipe, detector, samples, budget, device)
        note.write_text(json.dumps({"key": key, **known}))
    phases = [phase | {"steps": steps} for phase, steps in zip(recipe.phases or (), known["steps"], strict=True)]
    return replace(recipe, phases=phases, amp=known["amp"]), {"key": key, "budget_seconds": budget}


def _known(key: str, note: Path, checkpoints: Path) -> dict[str, Any] | None:
    """The steps and precision of an earlier plan, from its work folder or from the weights that came of it."""
    if note.is_file():
        plan = json.loads(note.read_text())
        if plan["key"] == key:
            return plan
    for path in sorted(checkpoints.glob("*.safetensors")):
        header = read_header(path)
        if (header.get("plan") or {}).get("key") == key:
            return {"steps": [phase["steps"] for phase in header["recipe"]["phases"]], "amp": header["recipe"]["amp"]}
    return None


def _probed(
    recipe: Recipe,
    detector: NeuralDetector,
    samples: Callable[[dict[int, list[dict[str, Any]]]], TrainingSet],
    budget: float,
    device: str,
) -> dict[str, Any]:
    """Steps of each phase in whichever precision is faster in the middle one."""
    most = BEFORE_CAPTURE + 2 + TIMED_IN_A_ROW
    phases = recipe.phases or []
    trial = replace(recipe, phases=[phase | {"steps": most} for phase in phases])
    training_set = samples(trial.augmentations())
    before = {key: value.clone() for key, value in detector.network.state_dict().items()}
    probe = _Probe(detector, training_set, device, PROBE_SHARE * budget)
    middle = len(phases) // 2
    amp = False
    if recipe.amp:
        first = probe.seconds(trial, middle)
        amp = probe.seconds(replace(trial, amp=True), middle) < first
    seconds = [probe.seconds(replace(trial, amp=amp), phase) for phase in range(len(phases))]
    detector.network.load_state_dict(before)
    total = sum(phase["share"] for phase in phases)
    times = [budget * phase["share"] / total for phase in phases]
    return {"amp": amp, "steps": [_rounded(time / step) for time, step in zip(times, seconds, strict=True)], "seconds": seconds}


class _Probe:
    """Times training steps of a detector; on a CPU, the making of their samples included."""

    def __init__(self, detector: NeuralDetector, training_set: TrainingSet, device: str, most: float):
        self.detector, self.samples, self.device, self.most = detector, training_set, device, most

    def seconds(self, recipe: Recipe, phase: int) -> float:
        """The time of a step of a phase: the least of a few on a CPU, the mean of a few in a row on a GPU."""
        model = recipe.training_model(self.detector).to(self.device).train()
        optimizer = build_optim_wrapper(model, recipe.optim_wrapper(self.device))
        phases = recipe.phases or []
        size = phases[phase]["batch_size"]
        serials = itertools.count(sum(p["steps"] * p["batch_size"] for p in phases[:phase]), size)
        batches = ([(place, place % len(self.samples)) for place in range(serial, serial + size)] for serial in serials)
        return self._on_gpu(model, optimizer, batches) if self.device == "cuda" else self._on_cpu(model, optimizer, batches)

    def _on_cpu(self, model, optimizer, batches):
        step, taken = Step(model, optimizer), []
        while len(taken) <= TIMED and (len(taken) < 2 or sum(taken) < self.most):
            start = time.process_time()
            step(stack([self.samples[key] for key in next(batches)]))
            taken.append(time.process_time() - start)
        return min(taken[1:])

    def _on_gpu(self, model, optimizer, batches):
        """As the loop takes steps: captured, with the samples of the next one made while the GPU works."""
        if can_cut(self.samples):
            cut = DeviceSquares(self.samples, None, self.device).cut
        else:  # other processes make the samples, beside this one
            one = {name: part.to(self.device) for name, part in stack([self.samples[key] for key in next(batches)]).items()}

            def cut(batch: Sequence[tuple[int, int]]) -> dict[str, torch.Tensor]:
                return one

        with CudaGraphs() as graphs:
            step = Step(model, optimizer, graphs=graphs)
            for _ in range(BEFORE_CAPTURE + 1):
                step(cut(next(batches)))
            torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(TIMED_IN_A_ROW):
                step(cut(next(batches)))
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / TIMED_IN_A_ROW


def _rounded(steps: float) -> int:
    """A number of steps with its first `DIGITS` digits, at least 1."""
    whole = max(1, int(steps))
    unit = 10 ** max(0, len(str(whole)) - DIGITS)
    return whole // unit * unit
