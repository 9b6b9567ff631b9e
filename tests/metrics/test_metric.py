import numpy as np
import pytest
import torch

from irsam_zoo.metrics import PROTOCOLS, IRSTDMetrics, compute_metrics, count_image
from irsam_zoo.zoo.errors import UsageError, ZooError


@pytest.fixture
def batch():
    generator = np.random.default_rng(5)
    return generator.normal(-1.5, 1, (4, 40, 48)).astype(np.float32), (generator.random((4, 40, 48)) < 0.05)


def fed(batch, protocol="exact", **options):
    metrics = IRSTDMetrics(protocol=protocol, **options)
    for scores, label in zip(*batch, strict=True):
        metrics.update(scores, label)
    return metrics


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_compute_is_that_of_the_rows(batch, protocol):
    metrics = fed(batch, protocol)
    assert len(metrics.per_image) == 4
    assert metrics.compute() == compute_metrics(metrics.per_image, protocol)
    scores, label = batch
    assert metrics.per_image[0] == count_image(scores[0] > 0, label[0])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("cut", [0, 1, 2, 4])
def test_merge_equals_a_single_pass(batch, protocol, cut):
    scores, label = batch
    one, other = fed((scores[:cut], label[:cut]), protocol), fed((scores[cut:], label[cut:]), protocol)
    one.merge(other)
    assert one.compute() == fed(batch, protocol).compute()
    assert len(other.per_image) == 4 - cut


@pytest.mark.parametrize(
    "shape",
    [
        lambda scores, label: (scores, label),
        lambda scores, label: (scores[:, None], label[:, None]),
        lambda scores, label: (torch.from_numpy(scores), torch.from_numpy(label)),
        lambda scores, label: (torch.from_numpy(scores)[:, None].double(), torch.from_numpy(label)[:, None].float()),
        lambda scores, label: (scores, label.astype(np.uint8) * 255),
        lambda scores, label: (torch.from_numpy(scores).requires_grad_(), torch.from_numpy(label).long()),
    ],
)
def test_batches_and_tensors_are_the_same_images(batch, shape):
    metrics = IRSTDMetrics()
    metrics.update(*shape(*batch))
    assert metrics.per_image == fed(batch).per_image


def test_bfloat16_scores_are_read():
    metrics = IRSTDMetrics()
    metrics.update(torch.eye(16, dtype=torch.bfloat16), torch.eye(16))
    assert metrics.compute()["IoU"] == 1


def test_bool_is_a_mask_and_everything_else_a_score():
    label = np.eye(16, dtype=bool)
    metrics = IRSTDMetrics(threshold=0.5)
    metrics.update(label, label)
    metrics.update(label.astype(np.float64) * 0.6, label)
    metrics.update(label.astype(np.uint8) * 255, label)
    assert metrics.compute()["IoU"] == 1
    metrics.reset()
    metrics.update(label * 0.5, label)
    assert metrics.compute()["IoU"] == 0


def test_smallest_logits_are_cut_as_each_code_cuts_them():
    label = np.eye(16, dtype=bool)
    scores = np.where(label, 1e-9, -1)
    results = {protocol: fed(([scores], [label]), protocol).compute() for protocol in PROTOCOLS}
    assert {protocol: result["IoU"] for protocol, result in results.items()} == {
        "exact": 1, "irsam": 1, "dnanet": 1, "basicirstd": 0,
    }  # fmt: skip
    assert results["exact"]["nIoU"] == 1
    assert results["irsam"]["nIoU"] == 0


def test_extreme_logits_neither_warn_nor_vanish(recwarn):
    label = np.eye(16, dtype=bool)
    for protocol in PROTOCOLS:
        assert fed(([np.where(label, np.inf, -1e30)], [label]), protocol).compute()["nIoU"] == 1
    assert not recwarn.list


def test_raw_scores_are_cut_at_the_threshold_under_every_protocol():
    label = np.eye(16, dtype=bool)
    for protocol in PROTOCOLS:
        assert fed(([np.where(label, 201.0, 199.0)], [label]), protocol, threshold=200).compute()["IoU"] == 1


def test_reset_forgets_targets_too(batch):
    metrics = fed(batch)
    metrics.reset()
    assert metrics.per_image == []
    metrics.update(batch[0][0], batch[1][0])
    assert metrics.compute() == fed((batch[0][:1], batch[1][:1])).compute()


def test_merge_needs_one_protocol_and_one_threshold():
    with pytest.raises(UsageError, match="cannot merge irsam at threshold"):
        IRSTDMetrics().merge(IRSTDMetrics(protocol="irsam"))
    with pytest.raises(UsageError, match="cannot merge"):
        IRSTDMetrics().merge(IRSTDMetrics(threshold=1))


@pytest.mark.parametrize(
    ("pred", "label", "message"),
    [
        (np.full((16, 16), np.nan), np.zeros((16, 16)), "NaN"),
        (np.zeros((16, 17)), np.zeros((16, 16)), "does not fit"),
        (np.zeros((2, 16, 16)), np.zeros((16, 16)), "does not fit"),
        (np.zeros((2, 3, 16, 16)), np.zeros((2, 3, 16, 16)), r"\(B, 1, H, W\)"),
        (np.zeros(16), np.zeros(16), r"\(H, W\)"),
        (np.array([["a"]]), np.zeros((1, 1)), "numeric prediction"),
        (np.zeros((2, 16, 16)), np.stack([np.zeros((16, 16)), np.full((16, 16), 300)]), "0 to 255"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing_behind(pred, label, message):
    metrics = IRSTDMetrics()
    with pytest.raises(ZooError, match=message):
        metrics.update(pred, label)
    assert metrics.per_image == []


def test_unknown_protocol_is_refused_at_once():
    with pytest.raises(UsageError, match="no protocol 'isnet'"):
        IRSTDMetrics(protocol="isnet")


@pytest.mark.parametrize("shape", [(40, 48, 1), (1, 40, 48, 1), (1, 1, 40, 48)])
def test_one_channel_may_come_last(batch, shape):
    scores, label = batch[0][0], batch[1][0]
    metrics, wanted = IRSTDMetrics(), IRSTDMetrics()
    metrics.update(scores.reshape(shape), label.reshape(shape))
    wanted.update(scores, label)
    assert metrics.per_image == wanted.per_image


@pytest.mark.parametrize("shape", [(40, 48, 3), (40, 48, 4), (40, 48, 2), (2, 40, 48, 3), (2, 3, 40, 48)])
def test_several_channels_are_refused(shape):
    with pytest.raises(ZooError, match="take one channel"):
        IRSTDMetrics().update(np.zeros(shape, bool), np.zeros(shape, np.uint8))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_probabilities_are_no_logits(kind):
    label = np.zeros((16, 16), np.uint8)
    label[5:8, 5:8] = 255
    scores = np.where(label > 0, 0.9, 0.1).astype(kind)
    metrics = IRSTDMetrics()
    with pytest.raises(ZooError, match="probabilities, not logits"):
        metrics.update(scores, label)
    assert metrics.per_image == []
    with pytest.raises(ZooError, match="probabilities"):
        metrics.update(torch.from_numpy(scores), torch.from_numpy(label))
    for threshold, given in ((0.5, scores), (0, (scores > 0.5).astype(kind)), (0, scores - 0.5), (0, label)):
        metrics = IRSTDMetrics(threshold=threshold)
        metrics.update(given, label)
        assert metrics.compute()["IoU"] == 1


def test_grey_levels_are_no_logits():
    label = np.zeros((16, 16), np.uint8)
    label[5:8, 5:8] = 255
    levels = np.where(label > 0, 220, np.arange(16, dtype=np.uint8))
    metrics = IRSTDMetrics()
    with pytest.raises(ZooError, match="grey levels"):
        metrics.update(levels, label)
    assert metrics.per_image == []
    metrics = IRSTDMetrics(threshold=127)
    metrics.update(levels, label)
    assert metrics.compute()["IoU"] == 1


def test_labels_of_low_levels_are_told(recwarn):
    low = np.zeros((2, 16, 16), np.uint8)
    low[0, 5:8, 5:8] = 2
    for label in (low > 0, (low > 0).astype(np.uint8), np.minimum(low, 0), np.stack([low[0], low[0] * 64])):
        IRSTDMetrics().update(low > 0, label)
    assert not recwarn
    with pytest.warns(UserWarning, match="no label has a level above 127"):
        IRSTDMetrics().update(low > 0, low)


def labelled(level):
    label = np.zeros((16, 16), np.uint8)
    label[5:8, 5:8] = level
    return label


@pytest.mark.parametrize("faint", [1, 2, 64, 127])
@pytest.mark.parametrize("together", [False, True])
def test_an_image_does_not_decide_anew_what_is_target(faint, together):
    """A mask of 0 and 1 beside one of 0 and 255 has no target, as one of 0 and 2 has none."""
    found, metrics = labelled(1) > 0, IRSTDMetrics()
    if together:
        metrics.update(np.stack([found, ~found]), np.stack([labelled(255), labelled(faint)]))
    else:
        metrics.update(found, labelled(255))
        with pytest.warns(UserWarning, match="no label has a level above 127"):
            metrics.update(~found, labelled(faint))
    assert [row["targets"] for row in metrics.per_image] == [1, 0]


def test_labels_of_two_forms_are_refused():
    found, metrics = labelled(1) > 0, IRSTDMetrics()
    metrics.update(found, labelled(0))
    metrics.update(found, labelled(1))
    with pytest.raises(ZooError, match=r"labels of 0 and 1, and now one of levels up to 255: .* give bool masks"):
        metrics.update(found, labelled(255))
    assert [row["targets"] for row in metrics.per_image] == [0, 1]
    other = IRSTDMetrics()
    other.update(found, labelled(255))
    with pytest.raises(UsageError, match="cannot merge images with labels of 0 and 1"):
        metrics.merge(other)
    metrics.reset()
    metrics.merge(other)
    assert metrics.label_top == 255


@pytest.mark.parametrize("top", [255.0, 100.0, 2.0])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("low", [0.0, 0.02])
def test_scores_without_a_negative_one_are_no_logits(top, kind, low):
    label = labelled(255)
    levels = np.where(label > 0, 0.97, low + 0.5 * (np.arange(16) > 7)) * top
    metrics = IRSTDMetrics()
    with pytest.raises(ZooError, match="scores without a negative one"):
        metrics.update(np.ceil(levels).astype(kind), label)
    assert metrics.per_image == []
    with pytest.warns(UserWarning, match="scores without a negative one"):
        metrics.update(np.ceil(levels).astype(kind), label, tolerant=True)


@pytest.mark.parametrize("kind", [np.float32, np.uint8])
def test_a_mask_of_any_level_is_a_mask(kind, recwarn):
    for level in (1, 100, 255):
        metrics = IRSTDMetrics()
        metrics.update(labelled(level).astype(kind), labelled(255))
        assert metrics.compute()["IoU"] == 1
    assert not recwarn
    with pytest.warns(UserWarning, match="every pixel is target"):
        metrics.update(np.ones((16, 16), kind), labelled(255))
