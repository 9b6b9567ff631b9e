"""Which weights `build_method` takes when nobody names a file."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from irsam_zoo.zoo import METHODS, UsageError, ZooError, build_method
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint
from irsam_zoo.zoo.weights.find import find_checkpoint

SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints"
IMAGE = np.random.default_rng(0).normal(90, 6, (32, 32)).clip(0, 255)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name, method="acmnet", **header):
    """Random weights of a method as a file in ``checkpoints`` of the current folder."""
    path = Path("checkpoints") / name
    path.parent.mkdir(exist_ok=True)
    save_checkpoint(path, build_method(method, weights=None).network.state_dict(), header)
    return path


@pytest.mark.parametrize("name", ["acmnet", "rdian"])
def test_a_network_has_the_weights_that_come_with_the_project(name, elsewhere):
    detector = build_method(name)
    assert detector.weights.path == find_checkpoint(SHIPPED, name, "sirst3")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.predict(IMAGE)


def test_weights_of_the_current_folder_come_before_those_beside_the_package(elsewhere):
    path = put("acmnet_sirst3.safetensors")
    assert build_method("acmnet").weights.path == path
    assert build_method("alcnet").weights.path.parent == SHIPPED


def test_a_data_set_stands_for_the_weights_of_a_run_on_it(elsewhere):
    path = put("acmnet_nuaa-sirst.safetensors")
    assert build_method("acmnet", weights="nuaa-sirst").weights.path == path
    assert build_method("acmnet", weights="irstd-1k").weights.path == find_checkpoint(SHIPPED, "acmnet", "irstd-1k")
    assert build_method("acmnet").weights.path.parent == SHIPPED  # which has seen more than one set


def test_a_file_is_taken_as_it_is(elsewhere):
    path = put("mine.safetensors")
    assert build_method("acmnet", weights=path).weights.path == path
    shutil.move(path, "mine.weights")
    assert build_method("acmnet", weights="mine.weights").weights.path == Path("mine.weights")


def test_a_name_of_the_catalogue_stands_for_its_file(elsewhere, monkeypatch):
    path = put("any name.safetensors", "acmnet_1ch")
    monkeypatch.setattr(
        "irsam_zoo.zoo.weights.find.find_known", lambda folder: {"lesps-acm-full": path} if Path(folder).is_dir() else {}
    )
    assert build_method("acmnet_1ch", weights="lesps-acm-full").weights.path == path
    assert build_method("lesps-acm-full").weights.path == path


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("nowhere", "no weights 'nowhere' for acmnet in checkpoints or .*; name a file, or None for random weights"),
        ("lesps-acm-full", "no weights 'lesps-acm-full' for acmnet in .*; get it from https://github.com/"),
        ("none.safetensors", "no file of weights none.safetensors"),
        (Path("none"), "no file of weights none"),
    ],
)
def test_weights_that_are_not_there_are_told(weights, said, elsewhere):
    with pytest.raises(UsageError, match=said):
        build_method("acmnet", weights=weights)


def test_weights_and_a_checkpoint_exclude_each_other(elsewhere):
    path = put("mine.safetensors")
    with pytest.raises(UsageError, match="leave one out"):
        build_method("acmnet", weights="sirst3", checkpoint=path)
    assert build_method("acmnet", checkpoint=path).weights.path == path
    with pytest.raises(UsageError, match="top_hat takes no weights"):
        build_method("top_hat", weights="sirst3")
    assert build_method("top_hat", weights=None).predict(IMAGE).shape == (32, 32)


@pytest.mark.parametrize("build", [lambda: build_method("acmnet", weights=None), lambda: METHODS.build(dict(type="acmnet"))])
def test_random_weights_warn_at_the_first_prediction(build, recwarn):
    detector = build()
    assert detector.weights is None
    assert not recwarn
    with pytest.warns(UserWarning, match="acmnet: its weights are random, and its scores mean nothing: .* train acmnet"):
        detector.predict_batch([IMAGE])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.predict(IMAGE)


def test_a_network_without_any_weights_warns_too(elsewhere):
    detector = build_method("acmnet_quarter")
    with pytest.warns(UserWarning, match="acmnet_quarter: its weights are random"):
        detector.segment(IMAGE)


def test_options_that_do_not_fit_the_weights_leave_them_random_and_say_so(elsewhere):
    with pytest.warns(UserWarning, match=r"its options are not those of .*acmnet_sirst3_budget-.*, so that its weights"):
        detector = build_method("acmnet", blocks=1)
    assert detector.weights is None
    with pytest.raises(ZooError, match=r"acmnet_sirst3_budget-.* does not fit"):
        build_method("acmnet", blocks=1, weights="sirst3")


def trained(network):
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    sum(parameter.sum() for parameter in network.parameters()).backward()
    optimizer.step()


@pytest.mark.parametrize("learn", [trained, lambda network: network.load_state_dict(network.state_dict())])
def test_weights_that_were_trained_or_loaded_since_are_not_random(learn):
    detector = build_method("acmnet", weights=None)
    detector.network.double().float()
    learn(detector.network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.predict(IMAGE)
