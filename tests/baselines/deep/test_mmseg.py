import json

import numpy as np
import pytest
import torch

from irsam_zoo.baselines.deep.mmseg import SMALL_FCN_UNET, adapted
from irsam_zoo.zoo import UsageError, ZooError, build_method

UNET = {"type": "UNet", "base_channels": 4, "norm_cfg": {"type": "BN"}}


def head(channels=4, index=4, weight=1.0, **options):
    return {
        "type": "FCNHead",
        "in_channels": channels,
        "in_index": index,
        "channels": 4,
        "num_convs": 1,
        "concat_input": False,
        "dropout_ratio": 0,
        "num_classes": 2,
        "loss_decode": {"type": "CrossEntropyLoss", "use_sigmoid": options.get("out_channels") == 1, "loss_weight": weight},
        **options,
    }


def model(**parts):
    return {"type": "EncoderDecoder", "backbone": UNET, "decode_head": head(), "test_cfg": {"mode": "whole"}, **parts}


def build(config, **options):
    torch.manual_seed(0)
    return build_method({"type": "mmseg", "config": config}, **options, weights=None)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 60, (2, 1, 32, 64), generator=generator).float()
    masks = torch.zeros(2, 1, 32, 64)
    masks[:, :, 10:13, 20:24] = 1
    return images + 180 * masks, masks


def test_the_default_is_a_small_unet(image, capfd):
    method = build_method("mmseg", weights=None)
    assert method.card.title == "FCNHead-UNet (MMSegmentation)"
    assert method.predict(image).std() > 0
    assert "INFO" not in capfd.readouterr().err
    assert adapted(SMALL_FCN_UNET) == SMALL_FCN_UNET


def test_score_is_the_difference_of_the_logits_that_mmseg_predicts(image):
    method = build(model())
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
    inputs = ((torch.from_numpy(image).float()[..., None] - mean) / std).permute(2, 0, 1)[None]
    with torch.inference_mode():
        (sample,) = method.network(inputs, mode="predict")
    logits = sample.seg_logits.data
    np.testing.assert_allclose(method.predict(image), logits[1] - logits[0], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(method.segment(image), sample.pred_sem_seg.data[0].bool())


def test_one_output_channel_is_the_logit(image):
    method = build(model(decode_head=head(out_channels=1, threshold=0.5)))
    with torch.inference_mode():
        outputs = method.forward(method.preprocess(torch.from_numpy(image)[None, None].float()))
    assert outputs.shape == (1, 1, 64, 96)
    assert method.logits(outputs) is outputs
    np.testing.assert_allclose(method.predict(image), outputs[0, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_loss_is_the_cross_entropy_of_every_head(batch, channels):
    method = build(model(decode_head=head(out_channels=channels, threshold=0.5 if channels == 1 else None)))
    images, masks = batch
    method.network.train()
    outputs = method.forward(method.preprocess(images))
    logits = method.logits(outputs).detach()
    want = torch.nn.functional.softplus(-logits * (2 * masks - 1)).mean()
    (loss,) = method.loss(outputs, masks).values()
    assert float(loss.detach()) == pytest.approx(float(want), rel=1e-5)

    torch.manual_seed(0)
    twice = build(model(decode_head=method.model_config["decode_head"], auxiliary_head=head(8, 3, 0.0)))
    twice.network.load_state_dict(method.network.state_dict(), strict=False)
    twice.network.train()
    (with_idle_head,) = twice.loss(twice.forward(twice.preprocess(images)), masks).values()
    assert float(with_idle_head.detach()) == pytest.approx(float(want), rel=1e-5)


def test_it_learns(batch):
    method = build(model(auxiliary_head=head(8, 3, 0.4)))
    images, masks = batch
    optimizer = torch.optim.Adam(method.network.parameters(), 0.01)
    method.network.train()
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = sum(method.loss(method.forward(method.preprocess(images)), masks).values())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_a_file_written_for_another_data_set(tmp_path, image):
    path = tmp_path / "city.py"
    path.write_text(
        "norm = dict(type='SyncBN', requires_grad=True)\n"
        "loss = dict(type='CrossEntropyLoss', use_sigmoid=False, class_weight=[1.0] * 19)\n"
        "model = dict(type='EncoderDecoder', pretrained='open-mmlab://resnet18_v1c',\n"
        "    data_preprocessor=dict(type='SegDataPreProcessor', mean=[100.0, 90, 80], std=[50.0, 40, 30], size=(64, 64)),\n"
        "    backbone=dict(type='ResNetV1c', depth=18, base_channels=4, stem_channels=4, norm_cfg=norm,\n"
        "        init_cfg=dict(type='Pretrained', checkpoint='https://example.org/weights.pth')),\n"
        "    decode_head=dict(type='FCNHead', in_channels=32, channels=8, num_classes=19, norm_cfg=norm, loss_decode=loss),\n"
        "    test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16)))\n"
    )
    method = build(str(path))
    assert method.mean == (100, 90, 80)
    assert method.std == (50, 40, 30)
    assert method.network.decode_head.conv_seg.out_channels == 2
    assert not any(isinstance(module, torch.nn.SyncBatchNorm) for module in method.network.modules())
    assert method.predict(image[:50, :70]).shape == (50, 70)


def test_adapted_changes_classes_in_heads_alone():
    config = {
        "backbone": {"num_classes": 1000, "norm_cfg": {"type": "SyncBN"}, "init_cfg": {"type": "Kaiming"}},
        "decode_head": [{"num_classes": 21, "out_channels": 21}, {"num_classes": 21, "out_channels": 1}],
        "auxiliary_head": {"num_classes": 2, "loss_decode": [{"class_weight": [0.1, 1.0]}, {"class_weight": [1] * 19}]},
    }
    assert adapted(config) == {
        "backbone": {"num_classes": 1000, "norm_cfg": {"type": "BN"}, "init_cfg": {"type": "Kaiming"}},
        "decode_head": [{"num_classes": 2, "out_channels": 2}, {"num_classes": 2, "out_channels": 1}],
        "auxiliary_head": {"num_classes": 2, "loss_decode": [{"class_weight": [0.1, 1.0]}, {}]},
    }


def test_no_part_of_a_model_fetches_weights():
    weights = {"type": "mmengine.Pretrained", "checkpoint": "x.pth"}
    inits = [weights, {"type": "Kaiming", "override": weights}, {"type": "Pretrained", "checkpoint": "x.pth"}]
    assert adapted({"backbone": {"init_cfg": inits, "pretrained": "x.pth"}}) == {
        "backbone": {"init_cfg": [{"type": "Kaiming"}]}
    }
    assert adapted({"backbone": {"init_cfg": weights}}) == {"backbone": {}}


def test_of_a_configuration_of_data_the_model_alone_is_looked_at(tmp_path, image):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"model": model(), "train_pipeline": [{"type": "LoadImageFromFile"}, {"type": "mine.Own"}]}))
    assert build(str(path)).predict(image).shape == image.shape


def test_a_cascade(batch, image):
    second = {**head(), "type": "OCRHead", "ocr_channels": 4}
    second = {key: second[key] for key in second if key not in ("num_convs", "concat_input")}
    method = build(model(type="CascadeEncoderDecoder", num_stages=2, decode_head=[head(), second]))
    assert method.card.title == "OCRHead-UNet (MMSegmentation)"
    assert method.predict(image).shape == image.shape
    method.network.train()
    (loss,) = method.loss(method.forward(method.preprocess(batch[0])), batch[1]).values()
    loss.backward()
    assert loss > 0


def test_one_input_channel(image):
    method = build(model(backbone={**UNET, "in_channels": 1}))
    assert method.mean == (123.675,)
    assert method.predict(image).shape == image.shape


def test_a_checkpoint_of_mmseg_loads(tmp_path, image):
    trained = build(model())
    torch.save({"meta": {}, "state_dict": trained.network.state_dict()}, tmp_path / "iter_1.pth")
    torch.manual_seed(9)
    loaded = build_method({"type": "mmseg", "config": model()}, checkpoint=tmp_path / "iter_1.pth")
    np.testing.assert_array_equal(loaded.predict(image), trained.predict(image))


def test_the_example_configuration_is_that_of_mmseg():
    method = build_method("mmseg_fcn_unet", weights=None)
    assert method.num_parameters == 29_060_676
    assert method.name == "mmseg_fcn_unet"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("nowhere.py", "no mmsegmentation configuration nowhere.py"),
        ({"backbone": UNET}, "no model with type, decode_head"),
        (model(decode_head={**head(), "type": "NoSuchHead"}), "NoSuchHead"),
        (model(decode_head={**head(), "no_such_option": 1}), "no_such_option"),
        (model(backbone={**UNET, "in_channels": 5}), "5 channels"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_line(config, message):
    with pytest.raises(UsageError, match=message) as caught:
        build(config)
    assert "\n" not in str(caught.value)


def test_a_compiled_operator_is_named(image):
    mask_head = {**head(), "type": "PSAHead", "mask_size": (8, 12), "shrink_factor": 1, "compact": False}
    mask_head = {key: mask_head[key] for key in mask_head if key not in ("num_convs", "concat_input")}
    with pytest.raises(ZooError, match="operator psamask_forward needs the compiled mmcv"):
        build(model(decode_head=mask_head)).predict(image)
