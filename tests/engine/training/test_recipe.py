"""Recipes of the methods, and what becomes of them under each schedule."""

import pytest
from mmengine.registry import MODELS, OPTIMIZERS, PARAM_SCHEDULERS

import engine.training.train  # noqa: F401 - registers the models
from datasets.transforms import Compose
from engine.training.recipe import load_recipe
from zoo import UsageError, list_methods
from zoo.neural import NeuralDetector
from zoo.registry import METHODS, list_configs, method_config

DEEP = [name for name in list_methods() if issubclass(METHODS.get(name), NeuralDetector)]
VARIANTS = [
    name
    for name in list_configs()
    if issubclass(METHODS.get(method_config(name)[1]["type"]), NeuralDetector) and name != "irsam_as_released"
]
EPOCHS = dict(acmnet=300, alcnet=300, dim2clear=400, dnanet=1500, irsam=500, isnet=3000, mdvsfa=30, uiunet=500)


@pytest.mark.parametrize("schedule", ["paper", "short", "smoke"])
@pytest.mark.parametrize("method", [*DEEP, *VARIANTS])
def test_every_deep_method_has_a_recipe_that_builds(method, schedule):
    recipe = load_recipe(method, schedule, input_size=256)
    Compose(recipe.augmentation)
    assert MODELS.get(recipe.model)
    optimizers = [recipe.optimizer] if "type" in recipe.optimizer else recipe.optimizer.values()
    assert all(OPTIMIZERS.get(optimizer["type"]) for optimizer in optimizers)
    scheduler = recipe.scheduler(10)
    assert scheduler is None or PARAM_SCHEDULERS.get(scheduler["type"])
    assert recipe.batch_size >= 2
    assert recipe.select == "last"


@pytest.mark.parametrize("method", EPOCHS)
def test_lengths(method):
    assert load_recipe(method, "paper").iterations(42) == EPOCHS[method] * 42
    assert load_recipe(method, "short").iterations(42) == {"acmnet": 100, "alcnet": 50}.get(method, EPOCHS[method] / 10) * 42
    assert load_recipe(method, "smoke").iterations(42) == load_recipe(method, "smoke").iterations(1000) <= 420


def test_short_keeps_the_published_loss_batches_and_augmentation():
    paper, short = load_recipe("dnanet", "paper"), load_recipe("dnanet", "short")
    assert (paper.augmentation, paper.batch_size, paper.optimizer) == (short.augmentation, short.batch_size, short.optimizer)
    assert short.scheduler(42)["type"] == "CosineAnnealingLR"
    assert short.scheduler(42)["T_max"] == short.epochs * 42
    assert short.amp
    assert not paper.amp
    assert load_recipe("mdvsfa", "short").ema is None


@pytest.mark.parametrize("method", ["acmnet", "alcnet"])
def test_short_cuts_small_squares_where_a_cpu_needs_them(method):
    paper, short = (load_recipe(method, schedule).augmentation for schedule in ("paper", "short"))
    assert [(a, b) for a, b in zip(paper, short, strict=True) if a != b] == [
        (dict(type="RandomCrop", size=480), dict(type="RandomCrop", size=128, on_target=0.75))
    ]


def test_rates_counted_in_epochs_become_iterations():
    scheduler = load_recipe("mdvsfa", "paper").scheduler(17)
    assert scheduler == dict(type="StepLR", step_size=170, gamma=0.2, by_epoch=False, end=510)
    assert load_recipe("acmnet", "paper").scheduler(17)["end"] == 300 * 17
    assert load_recipe("irsam", "paper").scheduler(17)["T_max"] == 500 * 17
    assert load_recipe("uiunet", "paper").scheduler(17) is None


def test_variants_are_trained_like_the_method_they_vary():
    assert load_recipe("acmnet_fpn", "paper") == load_recipe("acmnet", "paper")


def test_the_input_size_is_filled_in_or_left_out():
    steps = load_recipe("acmnet", "smoke", input_size=320).augmentation
    assert dict(type="Resize", size=320) in steps
    assert not any(step["type"] == "Resize" for step in load_recipe("acmnet", "smoke").augmentation)


def test_a_recipe_that_selects_on_the_test_set_is_refused():
    with pytest.raises(UsageError, match="needs the test set; say --select last"):
        load_recipe("irsam_as_released", "paper")
    recipe = load_recipe("irsam_as_released", "paper", select="last")
    assert recipe.not_reproduced == {"edge_target": "before_augmentation"}
    assert recipe.seed == 0


def test_a_config_file_brings_its_own_recipe(tmp_path):
    path = tmp_path / "mine.py"
    recipe = "dict(steps=3, batch_size=2, optimizer=dict(type='SGD', lr=0.1), augmentation=[]{})"
    path.write_text("method = dict(type='acmnet')\nrecipe = " + recipe.format(""))
    assert load_recipe(str(path), "paper").iterations(99) == 3
    other = tmp_path / "other.py"
    other.write_text("method = dict(type='acmnet')\nrecipe = " + recipe.format(", epoch=3"))
    with pytest.raises(UsageError, match=r"unknown key of the recipe in .*other\.py, 'epoch'; did you mean epochs"):
        load_recipe(str(other), "paper")


def test_an_unknown_schedule_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown schedule 'shrt'; did you mean short"):
        load_recipe("acmnet", "shrt")
