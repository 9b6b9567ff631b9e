import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from irsam_zoo.zoo import UsageError, ZooError, build_method
from irsam_zoo.zoo.neural import NeuralDetector, probability_to_logit
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint


class Recorder(nn.Module):
    """Keeps the shapes of its inputs; its output is the first channel, times a weight."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.norm = nn.BatchNorm2d(1)
        self.inputs = []

    def forward(self, x):
        self.inputs.append(x.clone())
        return self.norm(x[:, :1] * self.scale)


class Plain(NeuralDetector):
    """Shows how grey levels travel: no normalisation, and a network that returns its input."""

    mean, std = (0.0,) * 3, (1.0,) * 3

    def build_network(self):
        network = Recorder()
        network.norm.eps = 0
        return network


def images(*shapes):
    rng = np.random.default_rng(0)
    return [rng.uniform(0, 255, shape) for shape in shapes]


def test_native_size_is_padded_by_reflection_and_cropped_back():
    detector = Plain()
    (image,) = images((21, 48))
    np.testing.assert_allclose(detector.predict(image), image, rtol=1e-6)
    (seen,) = detector.network.inputs
    assert seen.shape == (1, 3, 32, 48)
    np.testing.assert_allclose(seen[0, 1, :21], image, rtol=1e-6)
    np.testing.assert_allclose(seen[0, 0, 21], image[19], rtol=1e-6)  # reflection leaves out the border row


def test_images_too_small_to_reflect_are_continued_by_their_border():
    detector = Plain()
    detector.smallest_input = 72
    (image,) = images((16, 30))
    np.testing.assert_allclose(detector.predict(image), image, rtol=1e-6)
    (seen,) = detector.network.inputs
    assert seen.shape == (1, 3, 80, 80)
    np.testing.assert_allclose(seen[0, 0, -1, :30], image[-1], rtol=1e-6)


@pytest.mark.parametrize(("padding", "shape"), [("zero", (32, 64)), ("zero_always", (32, 96))])
def test_zeros_continue_the_normalised_image(padding, shape):
    detector = Plain(padding=padding, divisor=32, mean=(10, 20, 30), std=(2, 4, 5))
    (image,) = images((21, 64))
    detector.predict(image)
    (seen,) = detector.network.inputs
    want = np.zeros((3, *shape))
    for channel, (mean, std) in enumerate(((10, 2), (20, 4), (30, 5))):
        want[channel, :21, :64] = (image - mean) / std
    np.testing.assert_allclose(seen[0], want, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("padding", ["zero", "zero_always"])
def test_zeros_are_cut_off_the_score(padding):
    (image,) = images((21, 64))
    np.testing.assert_allclose(Plain(padding=padding, divisor=32).predict(image), image, rtol=1e-6)


@pytest.mark.parametrize("name", ["acmnet_1ch", "alcnet_basicirstd", "istdunet_basicirstd", "rdian_basicirstd", "uiunet_1ch"])
def test_forms_of_basicirstd_are_padded_as_there(name):
    detector = build_method(name, weights=None)
    inputs = detector.preprocess(torch.full((1, 1, 40, 64), 170.0))
    assert inputs.shape == (1, 1, 64, 64)
    torch.testing.assert_close(inputs[..., :40, :], torch.full((1, 1, 40, 64), (170 - 101.06385) / 34.619606))
    assert not inputs[..., 40:, :].any()


def test_an_image_and_its_label_at_the_size_of_the_input():
    rng = np.random.default_rng(0)
    image, label = rng.integers(0, 256, (40, 100), dtype=np.uint8), np.zeros((40, 100), np.uint8)
    label[10:12, 30:33] = 255
    same = Plain().at_input_size(image, label)
    assert same[0] is image
    assert same[1] is label
    detector = Plain(input_size=64)
    small, small_label = detector.at_input_size(image, label)
    assert (small.shape, small.dtype) == ((64, 64), np.uint8)
    nearest = [(np.arange(64) * side + side // 2) // 64 for side in label.shape]
    np.testing.assert_array_equal(small_label, label[np.ix_(*nearest)])
    score = detector.predict(small)
    np.testing.assert_array_equal(detector.network.inputs[0][0, 0], small)  # nothing is resized a second time
    np.testing.assert_allclose(score, small, rtol=1e-6)
    want = Image.fromarray(image.astype(np.float32)).resize((64, 64), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(small, want, atol=1.01)  # Pillow rounds after each of two passes


def test_normalisation_is_that_of_imagenet_unless_named():
    class Default(Plain):
        mean, std = NeuralDetector.mean, NeuralDetector.std

    pixel = torch.full((1, 1, 1, 1), 255.0)
    # torchvision's constants on 0..1
    want = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert Default().normalize(pixel).flatten().tolist() == pytest.approx(want, rel=1e-5)
    assert Default(mean=(55, 155, 0), std=(100, 10, 1)).normalize(pixel).flatten().tolist() == pytest.approx([2, 10, 255])


def test_resized_input_comes_back_at_the_image_size():
    detector = Plain(input_size=64)
    ramp = np.add.outer(np.arange(40.0), 2 * np.arange(50.0))
    score = detector.predict(ramp)
    assert detector.network.inputs[0].shape == (1, 3, 64, 64)
    np.testing.assert_allclose(score[2:-2, 2:-2], ramp[2:-2, 2:-2], atol=0.05)


def test_enlarging_and_reducing_agree_with_pillow():
    image_module = pytest.importorskip("PIL.Image")
    (image,) = images((40, 100))
    image = image.astype(np.float32)
    detector = Plain(input_size=64)
    detector.predict(image)
    want = image_module.fromarray(image).resize((64, 64), image_module.Resampling.BILINEAR)
    np.testing.assert_allclose(detector.network.inputs[0][0, 0], np.asarray(want), atol=1e-3)


def test_equal_sizes_share_a_forward_pass_and_order_is_kept():
    detector = Plain(batch_size=2)
    batch = images((32, 32), (16, 48), (32, 32), (32, 32), (16, 48))
    scores = detector.predict_batch(batch)
    assert [tuple(x.shape) for x in detector.network.inputs] == [(2, 3, 32, 32), (1, 3, 32, 32), (2, 3, 16, 48)]
    for image, score in zip(batch, scores, strict=True):
        np.testing.assert_allclose(score, image, rtol=1e-6)
        np.testing.assert_allclose(score, detector.predict(image), rtol=1e-6)
        assert score.dtype == np.float32


def test_an_empty_batch_gives_no_scores():
    assert Plain().predict_batch([]) == []


def test_evaluation_mode_is_restored_before_scoring():
    detector = Plain()
    (image,) = images((32, 32))
    detector.network.train()
    np.testing.assert_allclose(detector.predict(image), image, rtol=1e-6)
    assert not detector.network.training


def test_scores_carry_no_gradient_and_leave_the_image_alone():
    (image,) = images((32, 32))
    before = image.copy()
    Plain().predict(image)
    np.testing.assert_array_equal(image, before)


def test_without_a_checkpoint_the_method_says_how_to_train_one():
    detector = Plain()
    assert detector.weights is None
    reason = detector.unavailable().format(method="my.py", dataset="synthetic", options=" --split dnanet")
    assert reason == "no weights; train them with: python run_benchmark.py train my.py --dataset synthetic --split dnanet"


def test_a_checkpoint_is_loaded_and_named(tmp_path):
    path = tmp_path / "plain.safetensors"
    state = Plain().network.state_dict() | {"scale": torch.tensor([3.0])}
    save_checkpoint(path, state, {"schedule": "smoke"})
    detector = Plain(checkpoint=path)
    (image,) = images((32, 32))
    np.testing.assert_allclose(detector.predict(image), 3 * image, rtol=1e-6)
    assert detector.unavailable() is None
    assert (detector.weights.path, detector.weights.sha256) == (path, sha256_file(path))
    assert detector.weights.metadata == {"schedule": "smoke"}


def test_weights_of_another_method_are_refused_though_they_fit(tmp_path):
    path = tmp_path / "w.safetensors"
    weights = build_method("alcnet", weights=None).network.state_dict()
    for kind, fits in (("alcnet", True), ("acmnet", False), ("of a plug-in", True), (["odd"], True)):
        save_checkpoint(path, weights, {"options": {"type": kind}})
        if fits:
            build_method("alcnet", checkpoint=path)
        else:
            with pytest.raises(ZooError, match="holds weights of acmnet; run that method"):
                build_method("alcnet", checkpoint=path)


def test_reference_keys_are_converted_on_loading(tmp_path):
    class Converting(Plain):
        convert_rules = ((r"^gain$", "scale"),)

    state = Plain().network.state_dict()
    state["gain"] = state.pop("scale") * 2
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "theirs.pth")
    assert Converting(checkpoint=tmp_path / "theirs.pth").network.scale.item() == 2


def test_a_network_whose_keys_all_begin_alike_loads_its_own_file(tmp_path):
    class Nested(Plain):
        def build_network(self):
            return nn.ModuleDict({"net": Recorder()})

    state = {key: value + 2 for key, value in Nested().network.state_dict().items()}
    torch.save(state, tmp_path / "own.pth")
    assert Nested(checkpoint=tmp_path / "own.pth").network["net"].scale.item() == 3


def test_parameters_are_counted_without_buffers():
    assert Plain().num_parameters == 3


def test_moving_returns_the_detector():
    detector = Plain()
    assert detector.to("cpu") is detector
    assert detector.device == torch.device("cpu")


def test_half_precision_has_no_effect_on_the_cpu():
    (image,) = images((32, 32))
    np.testing.assert_array_equal(Plain(amp=True).predict(image), Plain().predict(image))


def test_compilation_is_an_option(monkeypatch):
    compiled = []
    monkeypatch.setattr(Recorder, "compile", lambda self: compiled.append(self), raising=False)
    Plain()
    assert not compiled
    detector = Plain(compile=True)
    assert compiled == [detector.network]


@pytest.mark.parametrize(
    "options",
    [{"input_size": 100}, {"input_size": "big"}, {"batch_size": 0}, {"mean": (1, 2)}, {"padding": "mirror"}, {"divisor": 24}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        Plain(**options)


def test_bad_images_and_scores_are_refused():
    detector = Plain()
    with pytest.raises(ZooError, match=r"\(H, W\)"):
        detector.predict_batch([np.zeros((32, 32, 3))])
    detector.network.scale.data.fill_(np.nan)
    with pytest.raises(ZooError, match="NaN"):
        detector.predict_batch([np.zeros((32, 32))])


def test_a_class_without_network_or_loss_is_told_so():
    with pytest.raises(TypeError, match="build_network"):
        NeuralDetector()
    with pytest.raises(TypeError, match="loss"):
        Plain().loss(None, None)


def test_inverse_sigmoid_is_finite_at_both_ends():
    logits = torch.tensor([-3.0, 0.0, 4.0])
    torch.testing.assert_close(probability_to_logit(torch.sigmoid(logits)), logits)
    ends = probability_to_logit(torch.tensor([0.0, 1.0], dtype=torch.float16))
    assert ends.tolist() == pytest.approx([-13.8155, 13.8155], abs=0.1)
