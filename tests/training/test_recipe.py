"""Recipes of the methods, and what becomes of them under each schedule."""

import pytest
from mmengine.registry import MODELS, OPTIMIZERS, PARAM_SCHEDULERS

from irsam_zoo.datasets.transforms import Compose
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo import UsageError
from tests.deep_methods import DEEP, VARIANTS

EPOCHS = dict(
    acmnet=300,
    agpcnet=125,
    alcnet=300,
    dim2clear=400,
    dnanet=1500,
    hdnet=800,
    irsam=500,
    isnet=3000,
    istdunet=12000,
    mdvsfa=30,
    mshnet=400,
    rdian=300,
    uiunet=500,
)


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
    assert (
        load_recipe(method, "short").iterations(42)
        == {"acmnet": 100, "agpcnet": 13, "alcnet": 50}.get(method, EPOCHS[method] / 10) * 42
    )
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


def test_what_the_released_script_of_irsam_does_and_the_trainer_does_not_is_noted():
    recipe = load_recipe("irsam_as_released", "paper")
    lacking = {"edge_target": "before_augmentation", "select": "best_of_test_set_per_metric", "seed": None}
    assert (recipe.not_reproduced, recipe.select, recipe.seed) == (lacking, "last", 0)
    assert recipe.scheduler(17)["T_max"] == 50 * 17
    assert load_recipe("irsam_as_released", "short", seed=3).seed == 3
    assert load_recipe("irsam", "paper").not_reproduced is None


def test_the_seed_is_the_command_lines_then_the_changes_then_the_recipes(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "method = dict(type='acmnet')\n"
        "recipe = dict(seed=2, steps=30, batch_size=2, optimizer=dict(type='SGD', lr=0.1), augmentation=[])"
    )
    assert [load_recipe(str(path), "paper", **more).seed for more in ({}, {"changes": {"seed": 7}})] == [2, 7]
    assert load_recipe(str(path), "paper", changes={"seed": 7}, seed=9).seed == 9
    assert load_recipe("acmnet", "paper").seed == 0


def test_of_epochs_and_steps_the_one_that_is_named_counts():
    epochs, steps = ({"epochs": 20}, {"steps": 20})
    assert load_recipe("acmnet", "smoke", changes=epochs).iterations(42) == 20 * 42
    assert load_recipe("acmnet", "paper", changes=steps).epochs is None
    assert load_recipe("acmnet", "smoke", changes=epochs | {"steps": 5}).iterations(42) == 5
    assert load_recipe("irsam", "paper", changes=epochs).scheduler(17)["T_max"] == 20 * 17


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"steps": "abc"}, "steps='abc' is no whole number of at least 1"),
        ({"steps": 0}, "steps=0 is no"),
        ({"epochs": "abc"}, "epochs='abc' is no"),
        ({"epochs": None}, "neither epochs nor steps"),
        ({"batch_size": 0}, "batch_size=0 is no"),
        ({"saves": 0}, "saves=0 is no"),
        ({"seed": -1}, "seed=-1 is no whole number of at least 0"),
        ({"seed": True}, "seed=True is no"),
        ({"amp": "yes"}, "amp='yes' is neither"),
        ({"select": "best"}, "select='best' is none of last, val"),
        ({"loss": "sis"}, "unknown loss of the recipe in .*, 'sis'; did you mean sls"),
        ({"model": "Foo"}, "unknown model of the recipe, 'Foo'"),
        ({"model": "AlternatingModel"}, "trains parts in turn, and this method names none"),
        ({"optimizer": 3}, "optimizer=3 is no dict"),
        ({"optimizer.type": "Foo"}, "unknown optimizer.type of the recipe, 'Foo'"),
        ({"optimizer.lrr": 1}, "optimizer={.*'lrr': 1.*}: .*unexpected keyword argument 'lrr'"),
        ({"optimizer.lr": -1}, "optimizer={.*'lr': -1.*}: Invalid learning rate"),
        ({"schedule": 3}, "schedule=3 is no dict or None"),
        ({"schedule.type": "Foo"}, "unknown schedule.type of the recipe, 'Foo'"),
        ({"schedule.eta_min": "abc"}, "schedule={.*'abc'.*}: "),
        ({"schedule": {"_delete_": True}}, "schedule={}: 'type'"),
        ({"ema": 3}, "ema=3 is no dict or None"),
        ({"ema.momentum": 7}, "ema={'momentum': 7}: "),
        ({"augmentation": 3}, "augmentation=3 is no list of dicts"),
        ({"augmentation.2.size": "abc"}, "augmentation=.*'abc'.*: "),
        ({"augmentation.0": 3}, r"--recipe augmentation\.0: "),
        ({"augmentation.x.size": 3}, r"--recipe augmentation\.x\.size: "),
        ({"schedule_name": "x"}, "unknown key of the recipe in .*, 'schedule_name'; did you mean schedule"),
        ({"not_reproduced": 1}, "unknown key of the recipe in .*, 'not_reproduced'"),
    ],
)
def test_a_bad_value_is_one_line_with_key_and_value(change, text):
    with pytest.raises(UsageError, match=text) as caught:
        load_recipe("acmnet", "paper", changes=change)
    assert len(str(caught.value).splitlines()) == 1


def test_an_adversarial_recipe_has_its_parts_checked():
    with pytest.raises(UsageError, match=r"optimizer\.generator2={.*'lrr': 1.*}: "):
        load_recipe("mdvsfa", "paper", changes={"optimizer.generator2.lrr": 1})
    with pytest.raises(UsageError, match=r"optimizer={.*'lr': 1.*} needs an entry for each of"):
        load_recipe("mdvsfa", "paper", changes={"optimizer.lr": 1})


@pytest.mark.parametrize(
    "method", ["acmnet_1ch", "alcnet_basicirstd", "dim2clear", "istdunet_basicirstd", "rdian_basicirstd", "uiunet_1ch"]
)
@pytest.mark.parametrize("schedule", ["paper", "short", "smoke"])
def test_what_is_tested_at_its_own_size_is_trained_at_it(method, schedule):
    steps = load_recipe(method, schedule, input_size=None).augmentation
    assert {step["type"] for step in steps} <= {"RandomFlip", "RandomTranspose", "RandomCrop", "GaussianBlur"}


def test_a_config_file_brings_its_own_recipe(tmp_path):
    path = tmp_path / "mine.py"
    recipe = "dict(steps=3, batch_size=2, optimizer=dict(type='SGD', lr=0.1), augmentation=[]{})"
    path.write_text("method = dict(type='acmnet')\nrecipe = " + recipe.format(""))
    assert load_recipe(str(path), "paper").iterations(99) == 3
    short = load_recipe(str(path), "short")
    assert (short.iterations(99), short.augmentation) == (1, [])
    other = tmp_path / "other.py"
    other.write_text("method = dict(type='acmnet')\nrecipe = " + recipe.format(", epoch=3"))
    with pytest.raises(UsageError, match=r"unknown key of the recipe in .*other\.py, 'epoch'; did you mean epochs"):
        load_recipe(str(other), "paper")


def test_an_unknown_schedule_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown schedule 'shrt'; did you mean short"):
        load_recipe("acmnet", "shrt")


def test_a_loss_by_name_has_no_place_where_parts_learn_in_turn():
    assert load_recipe("acmnet", "paper").loss is None
    assert load_recipe("acmnet", "budget", changes={"loss": "sls"}).loss == "sls"
    with pytest.raises(UsageError, match="loss='sls' has no place where parts are trained in turn"):
        load_recipe("mdvsfa", "paper", changes={"loss": "sls"})
