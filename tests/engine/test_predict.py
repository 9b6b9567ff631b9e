"""Methods on frames: targets, weights, and frames that fail."""

import numpy as np
import pytest

from irsam_zoo.engine.frames import Frame, Source
from irsam_zoo.engine.predict import find_targets, open_methods, predict_source
from irsam_zoo.results.record import ImageFailure
from irsam_zoo.results.targets import Target
from irsam_zoo.zoo import METHODS, Detector, MethodCard, UsageError, ZooError, build_method
from irsam_zoo.zoo.weights.checkpoints import save_checkpoint


@pytest.fixture
def groups():
    """A registered method that writes down how many frames it is given together, and refuses dark ones."""
    seen = []

    @METHODS.register_module("grouped")
    class Grouped(Detector):
        card = MethodCard(title="Grouped")
        group_size = 3

        def score(self, image):
            if image.max() < 10:
                raise ZooError("too dark")
            return image

        def predict_sequence(self, frames):
            seen.append(len(frames))
            return super().predict_sequence(frames)

    yield seen
    METHODS.module_dict.pop("grouped")


def source_of(images, sequence=False):
    frames = [
        image if isinstance(image, ImageFailure) else Frame(f"f{k}", f"f{k}.png", image) for k, image in enumerate(images)
    ]
    return Source("some", len(frames), sequence, lambda: iter(frames))


def bright(*places, shape=(24, 32)):
    image = np.full(shape, 50, np.uint8)
    for row, column in places:
        image[row : row + 2, column : column + 3] = 200
    return image


def test_targets_are_those_counted_by_hand():
    score = np.zeros((10, 12), np.float32)
    score[1, 2:4] = (0.5, 0.9)
    score[2, 4] = 0.7  # touches by a corner
    score[7:9, 0] = 0.6
    score[7, 1] = 0.2
    assert find_targets(score > 0.4, score) == [
        Target(1, 3.0, pytest.approx(4 / 3), 2, 1, 3, 2, 3, pytest.approx(0.9), pytest.approx(0.7)),
        Target(2, 0.0, 7.5, 0, 7, 1, 2, 2, pytest.approx(0.6), pytest.approx(0.6)),
    ]
    assert find_targets(score > 1, score) == []


def test_the_scores_of_a_target_are_its_own():
    """A ring and a brighter point within its box."""
    score = np.zeros((16, 16), np.float32)
    score[4:11, 4:11] = 1
    score[5:10, 5:10] = 0
    score[7, 7] = 9
    ring, point = find_targets(score > 0, score)
    assert (ring.area, ring.peak, ring.mean_score) == (24, 1, 1)
    assert (point.area, point.peak) == (1, 9)


def test_frames_of_a_sequence_stay_in_their_groups(groups):
    detectors = open_methods(["grouped", "top_hat"], checkpoints="none")
    found = list(predict_source(detectors, source_of([bright((5, 5))] * 20, sequence=True)))
    assert [predicted.frame.id for predicted in found] == [f"f{k}" for k in range(20)]
    assert all(set(predicted.by_method) == {"grouped", "top_hat"} for predicted in found)
    assert groups == [9, 9, 2]
    assert len(list(predict_source(detectors, source_of([bright((5, 5))] * 4)))) == 4
    assert groups == [9, 9, 2]


def test_a_frame_that_fails_takes_no_other_along(groups):
    unread = ImageFailure("torn", "torn.png is damaged")
    detectors = open_methods(["grouped", "top_hat"], checkpoints="none")
    found = list(predict_source(detectors, source_of([bright(), unread, bright() // 10, np.zeros((8, 8), np.uint8)])))
    failed = [failure for failure in found if isinstance(failure, ImageFailure)]
    assert failed[:2] == [unread, ImageFailure("f2", "grouped: too dark")]
    assert [failure.id for failure in failed[2:]] == ["f3", "f3"]
    assert "top_hat: image of 8x8 is smaller than 16 px" in failed[3].error
    methods = {predicted.frame.id: list(predicted.by_method) for predicted in found if predicted not in failed}
    assert methods == {"f0": ["grouped", "top_hat"], "f2": ["top_hat"]}


def test_a_frame_that_fails_takes_its_group_along(groups):
    images = [bright()] * 8
    images[4] = images[4] // 10
    found = list(predict_source(open_methods(["grouped"], checkpoints="none"), source_of(images, sequence=True)))
    assert [failure.id for failure in found if isinstance(failure, ImageFailure)] == ["f3", "f4", "f5"]
    assert [predicted.frame.id for predicted in found[3:]] == ["f0", "f1", "f2", "f6", "f7"]


def test_weights_of_a_joined_set_fit_any_image(tmp_path):
    network = build_method("acmnet", weights=None).network.state_dict()

    def store(name, **metadata):
        path = tmp_path / f"{name}.safetensors"
        digest = save_checkpoint(path, network, metadata)
        return str(path.rename(str(path).replace("DIGEST", digest[:8])))

    def opened(*methods, **options):
        return open_methods(methods, checkpoints=tmp_path, **options)["acmnet"].weights.path

    with pytest.raises(
        UsageError, match=r"acmnet: no weights in .*; name some by --checkpoint, or: .* train acmnet --dataset sirst3"
    ):
        opened("acmnet")
    own = store("acmnet_nuaa-sirst_short-DIGEST", seen={"nuaa-sirst": {}})
    with pytest.raises(UsageError, match=f"none of its weights are of several data sets; .* --checkpoint {own}"):
        opened("acmnet")
    assert str(opened("acmnet", "top_hat", checkpoint=own)) == own
    joined = store("acmnet_x+y_short-DIGEST", seen={"x": {}, "y": {}})
    assert str(opened("acmnet")) == joined
    by_hand = store("acmnet_sirst3")
    assert str(opened("acmnet")) == by_hand


@pytest.mark.parametrize(
    ("methods", "options", "text"),
    [
        (["tophat"], {}, "did you mean top_hat"),
        (["ipi", "ipi"], {}, "method ipi is named twice"),
        (["ipi"], {"threshold": "best_iou"}, "--threshold best_iou: it looks at masks, and there are none"),
        (["ipi"], {"checkpoint": "x"}, "--checkpoint names the weights of one network, and there are 0 among the methods"),
        (["acmnet", "alcnet"], {"checkpoint": "x"}, "and there are 2 among the methods"),
    ],
)
def test_methods_that_cannot_be_opened(methods, options, text):
    with pytest.raises(UsageError, match=text):
        open_methods(methods, checkpoints="none", **options)
