import pytest
import torch
from torch import nn

from irsam_zoo.zoo import UsageError, ZooError
from irsam_zoo.zoo.weights.checkpoint_files import read_checkpoint
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, load_weights
from irsam_zoo.zoo.weights.state_dicts import MisfitError, convert_keys
from tests.checkpoint_forms import STATE, assert_state

OTHER = {key: value + 1 for key, value in STATE.items()}
KEYS = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "net",
    "model",
    "network",
    "params",
    "weights",
    "generator",
    "netG",
    "a.b",
)


@pytest.fixture
def load(tmp_path):
    """Saves a content and loads it for the network of `STATE`, or as `own` and `rules` say."""

    def load(content, own=STATE, rules=(), key=None):
        torch.save(content, tmp_path / "w.pth")
        return read_checkpoint(tmp_path / "w.pth", own, rules, key)

    return load


def prefixed(prefix, state=None):
    return {prefix + key: value for key, value in (STATE if state is None else state).items()}


# Which dict


@pytest.mark.parametrize("wrapper", [None, *KEYS, "ema", "params_ema", "state_dict_ema"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.", "_orig_mod.module.", "module.model."])
def test_the_only_dict_of_tensors_is_taken_whatever_its_name(tmp_path, wrapper, prefix):
    content = {wrapper: prefixed(prefix), "epoch": 3} if wrapper else prefixed(prefix) | {"epoch": 3, "name": "x"}
    torch.save(content, tmp_path / "w.pth")
    for own in ((), STATE, STATE.keys()):
        state, metadata = load_checkpoint(tmp_path / "w.pth", own)
        assert_state(state)
        assert metadata == ({"epoch": 3} if wrapper else {"epoch": 3, "name": "x"})


@pytest.mark.parametrize(
    "content",
    [
        (STATE, 3),
        [3, {"x": STATE}],
        {"a": {"b": {"c": STATE}}},
        {"optimised": STATE, "optimizer": OTHER, "optimizer_d": OTHER, "lr_scheduler": None, "scaler": {"scale": 2.0}},
        {"weights": STATE, "optim": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"params": [0]}]}},
        {"weights": STATE, "loss": torch.tensor(0.3), "scores": {"iou": torch.tensor(0.7)}},
        {"weights": STATE, "rng_state": torch.zeros(9, dtype=torch.uint8)},
    ],
)
@pytest.mark.parametrize("own", [(), STATE])
def test_the_only_dict_of_tensors_is_taken_wherever_it_is(load, content, own):
    chosen = load(content, own)
    assert_state(chosen.tensors)
    assert chosen.notes == ()


def test_of_several_dicts_the_one_that_has_the_networks_names_is_taken(load):
    discriminator = {"conv.weight": torch.zeros(1), "fc.weight": torch.zeros(2), "fc.bias": torch.zeros(2), "x": torch.zeros(1)}
    for content in (
        {"d": discriminator, "g": STATE},
        {**prefixed("d.", discriminator), **prefixed("g.")},
        [discriminator, STATE],
    ):
        assert_state(load(content).tensors)


def test_of_several_dicts_with_these_names_the_one_of_these_shapes_is_taken(load):
    small = {key: torch.zeros(1) for key in STATE}
    assert_state(load({"student": small, "teacher": STATE}).tensors)
    assert_state(load({"net": small, "teacher": STATE}).tensors)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("params_ema", "params"),
        ("state_dict_ema", "state_dict"),
        ("ema", "model"),
        ("ema_model", "state_dict"),
        ("model_EMA", "model"),
        ("swa_model", "state_dict"),
        ("state_dict", "model"),
        ("model_state_dict", "weights"),
        ("model", "teacher"),
    ],
)
def test_averaged_weights_come_first_and_the_choice_is_said(load, better, worse):
    for content in ({better: STATE, worse: OTHER}, {worse: OTHER, better: STATE}):
        chosen = load(content)
        assert_state(chosen.tensors)
        assert chosen.notes == (f"took the weights under {better} and not those under {worse} (--key takes others)",)
        assert_state(load(content, (), key=worse).tensors, OTHER)
        assert load(content, key=worse).notes == ()


def test_averages_that_lack_the_networks_buffers_are_not_taken(load):
    assert_state(load({"model": STATE, "ema": {"conv.weight": OTHER["conv.weight"]}}).tensors)
    counted = STATE | {"norm.num_batches_tracked": torch.tensor(3)}  # which averages lack by design
    assert_state(load({"model": counted, "ema": OTHER}, counted).tensors, OTHER)


def test_several_dicts_without_a_deciding_name_are_named_with_the_way_to_choose(load):
    with pytest.raises(ZooError, match=r"several sets of weights: a, b; choose one with: .* convert .* --key a") as caught:
        load({"a": STATE, "b": OTHER})
    assert "\n" not in str(caught.value)
    with pytest.raises(ZooError, match="netG_A, netG_B"):
        load(prefixed("netG_A.") | prefixed("netG_B.", OTHER))
    with pytest.raises(ZooError, match="several sets"):
        load({"a": STATE, "b": {"x": torch.zeros(1)}}, ())
    assert_state(load({"a": STATE, "b": OTHER}, key="b").tensors, OTHER)
    assert_state(load(prefixed("netG_A.") | prefixed("netG_B.", OTHER), key="netG_B").tensors, OTHER)
    assert_state(load({"x": {"a": prefixed("module."), "b": OTHER}}, key="x.a").tensors)
    with pytest.raises(UsageError, match="no weights under 'c'; it has: a, b"):
        load({"a": STATE, "b": OTHER}, key="c")


def test_a_dict_under_two_names_is_one(load):
    assert load({"a": STATE, "b": STATE}).notes == ()


# Which prefix


def test_a_prefix_that_is_the_networks_own_stays(load):
    own = prefixed("net.")
    for prefix in ("", "module.", "net."):
        assert_state(load({"net": prefixed(prefix, own)}, own).tensors, own)


def test_a_prefix_that_only_some_keys_have_stays(load):
    state = {"model.a": torch.zeros(1), "b": torch.zeros(1)}
    for own in ((), state):
        assert_state(load(state, own).tensors, state)


PROFILED = {"total_ops": torch.zeros(1), "conv.total_ops": torch.zeros(1), "conv.total_params": torch.zeros(1)}


@pytest.mark.parametrize("prefix", ["", "module.", "net.", "any.name."])
@pytest.mark.parametrize("outside", [False, True])
def test_buffers_of_a_profiler_are_left_out(load, prefix, outside):
    state = prefixed(prefix) | prefixed("" if outside else prefix, PROFILED)
    chosen = load(state)
    assert_state(chosen.tensors)
    assert chosen.notes[0].startswith("left out: ")
    assert "total_params" in chosen.notes[0]
    assert_state(load(prefixed("module.") | PROFILED, ()).tensors)


def test_a_profilers_names_may_be_the_networks_own(load):
    own = STATE | PROFILED
    assert_state(load(own, own).tensors, own)


@pytest.mark.parametrize("prefix", ["", "module.", "net."])
@pytest.mark.parametrize(
    "name", ["criterion.weight", "criterion.vgg.0.weight", "loss.pos_weight", "edge_loss.kernel", "loss_fn.w"]
)
def test_a_loss_beside_the_network_is_left_out(load, prefix, name):
    chosen = load(prefixed(prefix) | {name: torch.zeros(3)})
    assert_state(chosen.tensors)
    assert chosen.notes == (f"left out: {name}",)


def test_anything_beside_a_prefix_is_left_out(load):
    state = prefixed("model.") | prefixed("discriminator.", {f"{k}.weight": torch.zeros(1) for k in range(9)})
    chosen = load(state | {"n_averaged": torch.tensor(5)})
    assert_state(chosen.tensors)
    assert chosen.notes == (
        "left out: discriminator.0.weight, discriminator.1.weight, discriminator.2.weight, discriminator.3.weight, "
        "discriminator.4.weight and 5 more",
    )


def test_what_may_be_a_part_of_the_network_is_not_left_out(load):
    state = STATE | {"extra.weight": torch.zeros(1)}
    with pytest.raises(MisfitError, match=r"unexpected: extra\.weight"):
        load_weights(nn.ModuleDict({"conv": nn.Conv2d(6, 1, 1)}), load(state).tensors, source="w.pth")


def test_a_prefix_is_judged_by_the_names_after_the_rules(load):
    theirs = {"step1.weight": STATE["conv.weight"], "step1.bias": STATE["conv.bias"]}
    rules = ((r"^step1", "conv"),)
    for prefix in ("", "module.", "any."):
        chosen = load({**prefixed(prefix, theirs), "total_ops": torch.zeros(1)}, STATE, rules)
        assert_state(chosen.tensors)
        assert chosen.renamed == 2


def test_a_file_of_another_network_keeps_its_names(load):
    state = {"module.a.weight": torch.zeros(1), "module.b.weight": torch.zeros(1)}
    assert list(load({"state_dict": state}).tensors) == ["a.weight", "b.weight"]


def test_rules_apply_in_turn_and_may_not_merge_keys():
    assert list(convert_keys({"a.gamma": 0}, ((r"^a", "b"), (r"^b\.gamma", "c")))) == ["c"]
    with pytest.raises(ZooError, match="two tensors"):
        convert_keys({"a": 0, "b": 0}, ((r"a|b", "c"),))


# Fitting a network


def test_weights_that_do_not_fit_are_named_in_one_line():
    network = nn.Sequential(*(nn.Conv2d(1, 1, 1) for _ in range(4)))
    state = {f"layer{k}.weight": torch.zeros(1) for k in range(7)} | {"0.weight": torch.zeros(2, 1, 1, 1)}
    with pytest.raises(ZooError) as caught:
        load_weights(network, state, source="w.pth")
    assert str(caught.value) == (
        "w.pth does not fit Sequential: missing: 0.bias, 1.weight, 1.bias, 2.weight, 2.bias and 2 more; "
        "unexpected: layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight and 2 more; "
        "of another shape: 0.weight (2, 1, 1, 1) for (1, 1, 1, 1)"
    )


def test_only_the_batch_counter_may_be_missing():
    network = nn.BatchNorm2d(2)
    state = {key: value + 1 for key, value in network.state_dict().items() if key != "num_batches_tracked"}
    load_weights(network, state, source="w.pth")
    assert network.weight.tolist() == [2, 2]
    with pytest.raises(ZooError, match="missing: running_var"):
        load_weights(network, {key: value for key, value in state.items() if key != "running_var"}, source="w.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
def test_values_that_are_not_finite_are_found_when_loaded_and_named(value, dtype):
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1))
    before = network[0].weight.clone()
    state = {key: tensor.clone() for key, tensor in network.state_dict().items()} | {"0.weight": torch.zeros(1, 1, 3, 3)}
    state["1.running_var"] = torch.tensor([value], dtype=dtype)
    with pytest.raises(ZooError, match=r"^w.pth .*NaN or infinite values in: 1\.running_var; ") as caught:
        load_weights(network, state, source="w.pth")
    assert "\n" not in str(caught.value)
    assert torch.equal(network[0].weight, before)


def test_values_that_overflow_on_loading_are_found():
    network = nn.Linear(1, 1)
    with pytest.raises(ZooError, match="infinite values in: weight"):
        load_weights(
            network, {"weight": torch.full((1, 1), 1e300, dtype=torch.float64), "bias": torch.zeros(1)}, source="w.pth"
        )


def test_a_network_may_have_infinite_values_of_its_own():
    network = nn.Linear(1, 1)
    network.register_buffer("mask", torch.tensor([0.0, -float("inf")]))
    load_weights(network, dict(network.state_dict()), source="w.pth")
    with pytest.raises(ZooError, match="in: mask"):
        load_weights(network, network.state_dict() | {"mask": torch.tensor([float("nan"), 0])}, source="w.pth")


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_whole_numbers_are_not_taken_for_fractions(dtype):
    network = nn.BatchNorm2d(2)
    with pytest.raises(ZooError, match=f"of another kind: weight {str(dtype)[6:]}"):
        load_weights(network, network.state_dict() | {"weight": torch.ones(2).to(dtype)}, source="w.pth")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_fractions_of_any_precision_are(dtype):
    network = nn.BatchNorm2d(2)
    load_weights(
        network, {key: torch.full_like(value, 2).to(dtype) for key, value in network.state_dict().items()}, source="w.pth"
    )
    assert (network.weight.tolist(), network.num_batches_tracked.item()) == ([2, 2], 2)
