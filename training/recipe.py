"""Training recipes: from configuration files to what the runner takes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS

from irsam_zoo.training.checks import PHASE_WORD, check_entries, check_parts
from irsam_zoo.training.optim import graph_options
from irsam_zoo.zoo.config_files import read_config
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import unknown
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.schedules import SCHEDULES
from irsam_zoo.zoo.specs import CONFIG_DIR, detector_class, method_config

SHARED_DIR = CONFIG_DIR.parent / "training"
INPUT_SIZE = "input_size"  # stands in an augmentation for the side of the square that the detector resizes test images to
# What an author's script does and this trainer does not, told to the user and stored with the weights.
NOT_REPRODUCED = ("edge_target",)
# A selection that needs the test set; like a seed that is None, it is among what is not reproduced.
TEST_SELECTION = "best_of_test_set_per_metric"
# Lengths of a run; of the two, one counts.
LENGTHS = ("epochs", "steps")
# Of a schedule, what is counted in epochs where the recipe says so.
EPOCHS = ("T_max", "begin", "end", "milestones", "step_size", "total_steps")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train a method.

    Attributes:
        schedule_name: One of `zoo.schedules.SCHEDULES`.
        model: Name in mmengine's ``MODELS`` of the class that wraps the detector.
        batch_size: Images an iteration, of each process; None where `phases` say.
        epochs: Passes through the training list, or None where `steps` counts.
        steps: Iterations, or None.
        phases: Parts of a run whose length is a budget of time (`training.budget`), or None: a dict each of ``size`` of
            the square in px, ``batch_size``, ``share`` of the budget, ``steps`` once the run is planned, and numbers that the
            augmentation asks for.
        gpu_batch: Times by which the batches of `phases` are larger on a GPU.
        evaluation: Options of the detector that it is trained with, and that its weights are tested with unless a user names
            others.
        loss: Name in `zoo.losses.LOSSES` of a loss in place of the method's own, or None.
        optimizer: mmengine's configuration; without a ``type``, one for each part of the network, by name.
        schedule: mmengine's configuration of a learning-rate schedule, in epochs where ``by_epoch`` is true; one that
            needs the length of the run and does not give it gets that of this run. None for a constant rate.
        augmentation: Configurations for `datasets.transforms.Compose`.
        clip: Largest norm of the gradients of an optimiser's parameters together, or None.
        select: ``"last"`` or ``"val"``: which weights to keep.
        ema: mmengine's configuration of an averaged model, or None.
        amp: Half precision. A configuration's holds for GPUs; on a CPU the trainer asks for it by itself.
        saves: How often the state is saved in a run, to resume from.
        seed: Of the run.
        not_reproduced: What of the author's script the trainer leaves out, by the recipe's keys, or None.
    """

    schedule_name: str
    optimizer: dict[str, Any]
    augmentation: list[dict[str, Any]]
    batch_size: int | None = None
    model: str = "TrainingModel"
    epochs: int | None = None
    steps: int | None = None
    phases: list[dict[str, Any]] | None = None
    gpu_batch: int = 1
    evaluation: dict[str, Any] | None = None
    loss: str | None = None
    schedule: dict[str, Any] | None = None
    clip: float | None = None
    select: str = "last"
    ema: dict[str, Any] | None = None
    amp: bool = False
    saves: int = 50
    seed: int = 0
    not_reproduced: dict[str, Any] | None = None

    def iterations(self, epoch_length: int) -> int:
        """Iterations of the run, where an epoch has that many."""
        if self.phases:
            return sum(phase["steps"] for phase in self.phases)
        return self.steps if self.steps is not None else (self.epochs or 0) * epoch_length

    def augmentations(self) -> dict[int, list[dict[str, Any]]]:
        """The augmentation of each phase by the number of the sample that it begins with."""
        if not self.phases:
            return {0: self.augmentation}
        first, found = 0, {}
        for phase in self.phases:
            found[first] = _filled(self.augmentation, {PHASE_WORD + key: value for key, value in phase.items()})
            first += phase["steps"] * phase["batch_size"]
        return found

    def on_gpu(self) -> "Recipe":
        """The recipe with the batches that a GPU takes."""
        if not self.phases:
            return self
        return replace(self, phases=[phase | {"batch_size": phase["batch_size"] * self.gpu_batch} for phase in self.phases])

    def scheduler(self, epoch_length: int) -> dict[str, Any] | None:
        """`schedule` in iterations, or None."""
        if self.schedule is None:
            return None
        schedule = dict(self.schedule)
        if schedule.pop("by_epoch", False):
            for key in set(EPOCHS) & set(schedule):
                value = schedule[key]
                schedule[key] = [v * epoch_length for v in value] if isinstance(value, (list, tuple)) else value * epoch_length
        own_length = {"CosineAnnealingLR": "T_max", "OneCycleLR": "total_steps"}.get(schedule["type"], "end")
        schedule.setdefault(own_length, self.iterations(epoch_length))
        if schedule["type"] == "OneCycleLR":  # which divides by the length of the rise less one step
            schedule["pct_start"] = max(schedule.get("pct_start", 0.3), 2 / schedule["total_steps"])
        return schedule | {"by_epoch": False}

    def training_model(self, detector: NeuralDetector) -> BaseModel:
        """The model that trains a detector."""
        loss = {"loss": self.loss} if self.loss else {}
        return MODELS.build(dict(type=self.model, detector=detector, **loss))

    def optim_wrapper(self, device: str) -> dict[str, Any]:
        """mmengine's configuration of the optimiser or optimisers."""
        wrapper = {"type": "StepOptimWrapper", "device": device, "half": self.amp, "clip": self.clip}
        if "type" in self.optimizer:
            return wrapper | {"optimizer": graph_options(self.optimizer, device)}
        parts = {part: wrapper | {"optimizer": graph_options(config, device)} for part, config in self.optimizer.items()}
        return parts | {"constructor": "PartOptimWrapperConstructor"}


def load_recipe(
    method: str,
    schedule_name: str,
    *,
    input_size: int | None = None,
    select: str | None = None,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Recipe:
    """The recipe of a method.

    The published one is ``recipe`` in ``configs/methods/<method>.py``, else in the configuration of the class that the
    method is a variant of, else in ``configs/training/base.py``. The other schedules change it as
    ``configs/training/<schedule>.py`` says. What such a file says of a method holds for its variants too; where it takes a
    fraction of the published length, for those variants alone that bring no recipe.

    Arguments:
        method: A method spec, as `zoo.build_method` takes it.
        schedule_name: One of `zoo.schedules.SCHEDULES`.
        input_size: The detector's.
        select: Overrides the recipe's.
        changes: Values to put in place of the recipe's, by dotted key as in mmengine: ``{"optimizer.lr": 0.01}``. A list
            takes its position as a key. One of ``epochs`` and ``steps`` takes the other's place.
        seed: Overrides the recipe's, which is 0 unless it says otherwise.

    Raises:
        UsageError: No such schedule, or a key or value of the recipe cannot be; the text names both.
    """
    if schedule_name not in SCHEDULES:
        raise UsageError(unknown("schedule", schedule_name, SCHEDULES))
    name, options = method_config(method)
    source, recipe = _published(method, name, options["type"])
    if schedule_name != "paper":
        recipe = _rescheduled(recipe, read_config(SHARED_DIR / f"{schedule_name}.py"), name, options["type"], source)
    lacking = {key: recipe.pop(key) for key in NOT_REPRODUCED if key in recipe}
    if recipe.get("select") == TEST_SELECTION:
        lacking["select"] = recipe.pop("select")
    if recipe.get("seed", 0) is None:
        lacking["seed"] = recipe.pop("seed")
    if changes:
        recipe = _changed(recipe, changes)
    recipe["select"] = select or recipe.get("select", "last")
    recipe["seed"] = seed if seed is not None else recipe.get("seed", 0)
    title = f"recipe in {source}" + " with --recipe" * bool(changes)
    check_entries(recipe, title, [key for key in Recipe.__dataclass_fields__ if key not in ("schedule_name", "not_reproduced")])
    recipe["augmentation"] = _filled(recipe["augmentation"], {INPUT_SIZE: input_size})
    recipe = Recipe(schedule_name=schedule_name, not_reproduced=lacking or None, **recipe)
    check_parts(recipe, title, getattr(detector_class(options["type"]), "parts", ()))
    return recipe


def _published(method: str, name: str, kind: str) -> tuple[Path, dict[str, Any]]:
    """The file that holds the recipe, and the recipe."""
    candidates = [CONFIG_DIR / f"{name}.py", CONFIG_DIR / f"{kind}.py", SHARED_DIR / "base.py"]
    if str(method).endswith(".py"):
        candidates.insert(0, Path(method))
    for path in candidates:
        if path.is_file() and "recipe" in read_config(path):
            return path, dict(read_config(path)["recipe"])
    raise UsageError(f"{candidates[-1]} is missing; restore it")


def _rescheduled(recipe: dict[str, Any], shared: dict[str, Any], name: str, kind: str, source: Path) -> dict[str, Any]:
    """A published recipe under a schedule that is not the published one."""
    entries = shared["methods"]
    whole = "fraction" not in shared["recipe"]  # of the published recipe, nothing is left but what is not reproduced
    own = {**shared["recipe"], **entries.get(name, entries.get(kind if whole else source.stem, {}))}
    fraction = own.pop("fraction", None)
    lengths = {key: own.get(key) for key in LENGTHS}
    if own.get("phases"):
        return {**recipe, **own, **lengths, "batch_size": None}
    if not any(lengths.values()):
        lengths = {key: _part(recipe.get(key), fraction) for key in LENGTHS}
    return {**recipe, **own, **lengths}


def _part(length, fraction):
    return math.ceil(length * fraction) if type(length) is int else length


def _changed(recipe: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    config = Config(recipe)
    try:
        config.merge_from_dict(dict(changes))
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"--recipe {' '.join(changes)}: {' '.join(str(error).split())}") from None
    lengths = [key for key in LENGTHS if key in changes]
    return {**config.to_dict(), **({key: changes.get(key) for key in LENGTHS} if lengths else {})}


def _filled(augmentation: list[dict[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An augmentation with words replaced by values; where a word's value is None, the steps that ask for it are left out."""
    filled = [
        {key: values.get(value, value) if isinstance(value, str) else value for key, value in step.items()}
        for step in augmentation
    ]
    return [step for step in filled if None not in step.values()]
