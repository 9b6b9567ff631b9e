import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import METRICS
from mmengine.structures import BaseDataElement, PixelData

from irsam_zoo.metrics import PROTOCOLS, IRSTDMetrics
from irsam_zoo.metrics.mm_metric import IRSTDMetric
from irsam_zoo.zoo.errors import UsageError, ZooError


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(3, 1, 32, 40) - 1.5, torch.rand(3, 1, 32, 40) < 0.05


def expected(batch, protocol="exact"):
    metrics = IRSTDMetrics(protocol=protocol)
    metrics.update(*batch)
    return {f"irstd/{name}": value for name, value in metrics.compute().items()}


def evaluate(samples, **options):
    evaluator = Evaluator(METRICS.build(dict(type="IRSTDMetric", **options)))
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_data_elements_of_mmseg(batch, protocol):
    samples = [
        BaseDataElement(seg_logits=PixelData(data=logits), gt_sem_seg=PixelData(data=label.long()))
        for logits, label in zip(*batch, strict=True)
    ]
    assert evaluate(samples, protocol=protocol) == pytest.approx(expected(batch, protocol))


def test_two_channels_are_cut_at_their_difference(batch):
    samples = [
        {"seg_logits": {"data": torch.cat([torch.ones_like(logits), logits + 1])}, "gt_sem_seg": {"data": label}}
        for logits, label in zip(*batch, strict=True)
    ]
    assert evaluate(samples) == pytest.approx(expected(batch))


def test_masks_and_plain_dicts(batch):
    samples = [
        {"pred_sem_seg": (logits[0] > 0).long(), "gt_sem_seg": label[0].numpy().astype(np.uint8) * 255}
        for logits, label in zip(*batch, strict=True)
    ]
    assert evaluate(samples) == pytest.approx(expected(batch))


def test_objects_without_an_evaluator(batch):
    metric = IRSTDMetric(prefix="val")
    for logits, label in zip(*batch, strict=True):
        metric.process({}, [BaseDataElement(seg_logits=PixelData(data=logits), gt_sem_seg=PixelData(data=label))])
    assert len(metric.results) == 3  # one row an image: what mmengine needs to gather them from several processes
    assert metric.evaluate(3)["val/IoU"] == pytest.approx(expected(batch)["irstd/IoU"])


def test_undefined_metrics_can_be_logged():
    empty = torch.zeros(16, 16)
    result = evaluate([{"pred_sem_seg": empty, "gt_sem_seg": empty}])
    assert np.isnan(result["irstd/Pd"])
    assert all(isinstance(value, float) for value in result.values())


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"gt_sem_seg": torch.zeros(16, 16)}, "neither seg_logits nor pred_sem_seg"),
        ({"pred_sem_seg": torch.zeros(16, 16)}, "no gt_sem_seg"),
        ({"seg_logits": torch.zeros(3, 16, 16), "gt_sem_seg": torch.zeros(16, 16)}, "one channel"),
    ],
)
def test_incomplete_samples_are_named(sample, message):
    with pytest.raises(ZooError, match=message):
        IRSTDMetric().process({}, [sample])


def test_unknown_protocol():
    with pytest.raises(UsageError, match="no protocol"):
        IRSTDMetric(protocol="isnet")


def test_probabilities_are_warned_of_and_end_no_training():
    metric = IRSTDMetric()
    with pytest.warns(UserWarning, match="probabilities, not logits"):
        metric.process(None, [dict(seg_logits=torch.full((1, 16, 16), 0.3), gt_sem_seg=torch.zeros(1, 16, 16))])
    assert len(metric.results) == 1


def test_labels_are_read_alike_from_sample_to_sample():
    label = np.zeros((16, 16), np.uint8)
    label[5:8, 5:8] = 1
    samples = [{"pred_sem_seg": label, "gt_sem_seg": level * label} for level in (255, 1)]
    with pytest.warns(UserWarning, match="no label has a level above 127"):
        assert evaluate(samples)["irstd/IoU"] == 0.5
    with pytest.raises(ZooError, match="labels of 0 and 1, and now one of levels up to 255"):
        evaluate(samples[::-1])
