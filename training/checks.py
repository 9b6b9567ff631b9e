"""Whether a recipe can be run, found out before a run begins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmengine.hooks import EMAHook
from mmengine.registry import MODELS, OPTIMIZERS, PARAM_SCHEDULERS, Registry
from torch import nn

from irsam_zoo.datasets.transforms import TARGET, Compose
from irsam_zoo.training.alternating import AlternatingModel
from irsam_zoo.training.model import TrainingModel
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import registered, unknown
from irsam_zoo.zoo.losses import LOSSES

if TYPE_CHECKING:
    from irsam_zoo.training.recipe import Recipe


MODELS.register_module(module=TrainingModel)
MODELS.register_module(module=AlternatingModel)

SELECTIONS = ("last", "val")
PHASE = dict(size=16, batch_size=1)  # what a phase counts, and the least of each
PHASE_WORD = "phase."  # stands in an augmentation before a key of a phase, whose value it takes
OPTIONAL_COUNTS = ("steps", "epochs", "batch_size")
COUNTS = dict(steps=1, epochs=1, batch_size=1, gpu_batch=1, saves=1, seed=0)  # and the least that each may be
EPOCH = 10  # iterations; any number serves a trial


def check_entries(recipe: Mapping[str, Any], title: str, known: Sequence[str]) -> None:
    """Check a recipe as read from a file and changed, before its augmentation is fitted to a network.

    Arguments:
        recipe (dict): Its entries.
        title: What errors call it.
        known: The keys that it may have.

    Raises:
        UsageError: A key is unknown, or a value is none that can be; the text names both.
    """
    for key in recipe:
        if key not in known:
            raise UsageError(unknown(f"key of the {title},", key, known))
    for key, least in COUNTS.items():
        value = recipe.get(key)
        if value is None and key in OPTIONAL_COUNTS:
            continue
        if key in recipe and (type(value) is not int or value < least):
            raise UsageError(f"{title}: {key}={value!r} is no whole number of at least {least}")
    for key in ("optimizer", "augmentation"):
        if key not in recipe:
            raise UsageError(f"{title}: it has no {key}")
    if recipe.get("phases") is not None:
        _check_phases(recipe["phases"], title)
    elif recipe.get("batch_size") is None:
        raise UsageError(f"{title}: it has no batch_size")
    elif recipe.get("steps") is None and recipe.get("epochs") is None:
        raise UsageError(f"{title}: it has neither epochs nor steps")
    if type(recipe.get("amp", False)) is not bool:
        raise UsageError(f"{title}: amp={recipe['amp']!r} is neither True nor False")
    clip = recipe.get("clip")
    if clip is not None and (type(clip) not in (int, float) or not clip > 0):
        raise UsageError(f"{title}: clip={clip!r} is neither a positive number nor None")
    if recipe["select"] not in SELECTIONS:
        raise UsageError(f"{title}: select={recipe['select']!r} is none of {', '.join(SELECTIONS)}")
    for key, optional in (("optimizer", False), ("schedule", True), ("ema", True), ("evaluation", True)):
        value = recipe.get(key)
        if not (isinstance(value, dict) or (optional and value is None)):
            raise UsageError(f"{title}: {key}={value!r} is no dict{' or None' * optional}")
    steps = recipe["augmentation"]
    if not isinstance(steps, (list, tuple)) or not all(isinstance(step, dict) for step in steps):
        raise UsageError(f"{title}: augmentation={steps!r} is no list of dicts")
    asked = {word for step in steps for word in step.values() if isinstance(word, str) and word.startswith(PHASE_WORD)}
    for phase in recipe.get("phases") or [{}]:
        for word in sorted(asked - {PHASE_WORD + key for key in phase}):
            raise UsageError(f"{title}: augmentation asks for {word}, which the phase {phase!r} lacks")


def _check_phases(phases: Any, title: str) -> None:
    for phase in phases if isinstance(phases, (list, tuple)) and phases else [phases]:
        if not isinstance(phase, dict) or not {*PHASE, "share"} <= set(phase):
            raise UsageError(f"{title}: phases={phases!r} is no list of dicts of size, batch_size and share")
        for key, least in PHASE.items():
            if type(phase[key]) is not int or phase[key] < least:
                raise UsageError(f"{title}: {key}={phase[key]!r} of a phase is no whole number of at least {least}")
        if not isinstance(phase["share"], (int, float)) or phase["share"] <= 0:
            raise UsageError(f"{title}: share={phase['share']!r} of a phase is no positive number")


def check_parts(recipe: "Recipe", title: str, parts: Sequence[str] = ()) -> None:
    """Build what the recipe names, and take one step with it, on a network of two numbers.

    Arguments:
        recipe (Recipe): To be run.
        title: What errors call it.
        parts: Names of the parts that the method trains in turn; none for most.

    Raises:
        UsageError: A part cannot be built or does not work; the text names its key and value.
    """
    _class(MODELS, "model", recipe.model)
    trial = replace(recipe, phases=[phase | {"steps": EPOCH} for phase in recipe.phases]) if recipe.phases else recipe
    parted = recipe.model == AlternatingModel.__name__
    if recipe.loss is not None and registered(LOSSES, recipe.loss) is None:
        raise UsageError(unknown(f"loss of the {title},", recipe.loss, sorted(LOSSES.module_dict)))
    if recipe.loss is not None and parted:
        raise UsageError(f"{title}: loss={recipe.loss!r} has no place where parts are trained in turn, each by its own loss")
    if parted and not parts:
        raise UsageError(f"{title}: model={recipe.model!r} trains parts in turn, and this method names none")
    if set(recipe.optimizer) != set(parts) if parted else "type" not in recipe.optimizer:
        wanted = f"an entry for each of {', '.join(parts)} and no other" if parted else "a type"
        raise UsageError(f"{title}: optimizer={recipe.optimizer!r} needs {wanted}, since model={recipe.model!r}")
    for key, config in recipe.optimizer.items() if parted else [(None, recipe.optimizer)]:
        network = nn.BatchNorm1d(1)  # drawing its weights takes nothing from torch's generator
        network(torch.ones(2, 1)).sum().backward()
        with _guarded(title, f"optimizer.{key}" if key else "optimizer", config):
            optimizer = _build(OPTIMIZERS, "optimizer", config, network.parameters())
            optimizer.step()
        if recipe.schedule is not None:
            with _guarded(title, "schedule", recipe.schedule):
                schedule = _build(PARAM_SCHEDULERS, "schedule", trial.scheduler(EPOCH) or {}, optimizer)
                optimizer.step()  # which mmengine wants to see before the schedule's
                schedule.step()
    if recipe.ema is not None:
        with _guarded(title, "ema", recipe.ema):
            average = _build(MODELS, "ema", EMAHook(update_buffers=True, **recipe.ema).ema_cfg, nn.BatchNorm1d(1))
            for _ in range(2):  # the first is a copy
                average.update_parameters(nn.BatchNorm1d(1))
    for augmentation in trial.augmentations().values():
        with _guarded(title, "augmentation", augmentation):
            image = np.full((64, 64), TARGET, np.uint8)
            Compose(augmentation)(image, image, np.random.default_rng(0))


def _build(registry: Registry, key: str, config: Mapping[str, Any], first: Any) -> Any:
    options = dict(config)
    return _class(registry, f"{key}.type", options.pop("type", None))(first, **options)


def _class(registry: Registry, key: str, name: Any) -> type[Any]:
    cls = registered(registry, name) if isinstance(name, str) else None
    if cls is None:
        raise UsageError(unknown(f"{key} of the recipe,", name, sorted(registry.module_dict)))
    return cls


@contextmanager
def _guarded(title: str, key: str, value: Any) -> Iterator[None]:
    """Whatever goes wrong inside becomes one line that names a key and its value."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # of torch, mmengine or a plug-in, and of any kind
        raise UsageError(f"{title}: {key}={value!r}: {' '.join(str(error).split()) or type(error).__name__}") from error
