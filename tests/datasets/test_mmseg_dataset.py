"""The data sets in mmsegmentation: items, configurations, and a training run with validation."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from PIL import Image

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.mmseg_dataset import IRSTDSegDataset, LoadIRSTDPair
from irsam_zoo.metrics.mm_metric import IRSTDMetric
from irsam_zoo.zoo import UsageError, ZooError
from irsam_zoo.zoo._compat import import_mmseg

mmseg = import_mmseg()
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs" / "datasets"
NAMES = ("irstd-1k", "nudt-sirst", "nuaa-sirst", "synthetic", "sirst-v2", "nudt-sirst-sea", "sirst-aug", "irdst")
PIPELINE = [dict(type="LoadIRSTDPair"), dict(type="PackSegInputs")]

# The recipe in configs/datasets/_base_/irstd.py, made small.
TRAINING = f"""
_base_ = ["{CONFIGS}/synthetic.py", "mmseg::_base_/models/fcn_unet_s5-d16.py", "mmseg::_base_/default_runtime.py"]
data_preprocessor = dict(size=(64, 64), test_cfg=dict(size_divisor=32))
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(base_channels=2),
    decode_head=dict(in_channels=2, channels=2),
    auxiliary_head=dict(in_channels=4, channels=2),
    test_cfg=dict(mode="whole", _delete_=True),
)
train_pipeline = [
    dict(type="LoadIRSTDPair"),
    dict(type="RandomCrop", crop_size=(64, 64)),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
here = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline), **here)
val_dataloader = dict(dataset=dict(indices=2), **here)
test_dataloader = val_dataloader
train_cfg = dict(type="IterBasedTrainLoop", max_iters=2, val_interval=2)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01))
randomness = dict(seed=0)
log_level = "ERROR"
"""
RUN = """
import json, sys
from mmengine.config import Config
from mmengine.runner import Runner
config = Config.fromfile(sys.argv[1])
config.work_dir = sys.argv[2]
runner = Runner.from_cfg(config)
runner.train()
names = ("train/loss", "val/irstd/IoU", "val/irstd/Pd")
scalars = {name: runner.message_hub.get_scalar(name).data[0].tolist() for name in names}
print("RESULT", json.dumps([runner.iter, len(runner.val_dataloader), scalars]))
"""


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def build(**config):
    return mmseg.registry.DATASETS.build(dict(config, type="IRSTDSegDataset", _scope_="mmseg"))


@pytest.fixture
def folder(tmp_path):
    """A folder of the user's own with a good pair, grey edges in its mask, and a pair without its mask."""
    for kind in ("images", "masks"):
        (tmp_path / "mine" / kind).mkdir(parents=True)
    image = np.arange(16 * 20, dtype=np.uint16).reshape(16, 20).astype(np.uint8)
    label = np.zeros((16, 20), np.uint8)
    label[3, 2:6] = 64, 127, 128, 255
    for id in ("a", "b"):
        Image.fromarray(image).save(tmp_path / "mine" / "images" / f"{id}.png")
    Image.fromarray(label).save(tmp_path / "mine" / "masks" / "a.png")
    return tmp_path / "mine"


def test_importing_the_data_sets_leaves_mmsegmentation_alone():
    others = ("mmseg", "mmcv", "irsam_zoo.engine", "irsam_zoo.baselines")
    code = f"import sys, irsam_zoo.datasets; print([name for name in sys.modules if name.startswith({others})])"
    assert run(code).strip() == "[]"


def test_entries_are_those_of_the_data_set():
    dataset = build(name="synthetic", subset="train")
    assert isinstance(dataset, IRSTDSegDataset)
    assert isinstance(dataset, mmseg.datasets.BaseSegDataset)
    assert [dataset.get_data_info(place)["id"] for place in range(len(dataset))] == build_dataset(
        "synthetic", subset="train"
    ).ids
    assert dataset.metainfo["classes"] == ("background", "target")
    assert dataset.metainfo["palette"] == [[0, 0, 0], [255, 255, 255]]


def test_loading_a_pair():
    dataset = build(name="synthetic", pipeline=[dict(type="LoadIRSTDPair")])
    for place, item in zip((0, 39), (dataset.source[0], dataset.source[39]), strict=True):
        results = dataset[place]
        assert (results["img"].dtype, results["gt_seg_map"].dtype) == (np.uint8, np.uint8)
        np.testing.assert_array_equal(results["img"], np.stack([item["image"]] * 3, axis=-1))
        np.testing.assert_array_equal(results["gt_seg_map"], item["mask"])
        assert results["img_shape"] == results["ori_shape"] == item["image"].shape
        assert results["seg_fields"] == ["gt_seg_map"]
        assert (results["id"], results["img_path"], results["sample_idx"]) == (item["id"], item["id"], place)
        assert "source" not in results
    assert dataset[0]["seg_fields"] == ["gt_seg_map"]  # an entry is not changed by loading it
    assert repr(LoadIRSTDPair()) == "LoadIRSTDPair()"


def test_a_folder_of_ones_own_and_a_missing_mask(folder):
    dataset = build(name=str(folder), subset="all", pipeline=[dict(type="LoadIRSTDPair")])
    results = dataset[0]
    assert results["img_path"] == str(folder / "images" / "a.png")
    assert np.argwhere(results["gt_seg_map"]).tolist() == [[3, 4], [3, 5]]
    with pytest.raises(ZooError, match="masks has no b"):
        dataset[1]


def test_errors_are_those_of_build_dataset(tmp_path):
    with pytest.raises(UsageError, match="unknown data set 'syntetic'"):
        IRSTDSegDataset(name="syntetic")
    with pytest.raises(UsageError, match="NUAA-SIRST is not under"):
        IRSTDSegDataset(name="nuaa-sirst", root=tmp_path)


def test_it_travels_to_the_workers_of_a_loader():
    dataset = pickle.loads(pickle.dumps(build(name="synthetic", pipeline=PIPELINE, indices=3)))
    assert len(dataset) == 3
    assert dataset[2]["data_samples"].ori_shape == dataset.source[2]["image"].shape


@pytest.mark.parametrize("name", NAMES)
def test_configurations(name):
    config = Config.fromfile(CONFIGS / f"{name}.py")
    for loader, subset in (("train_dataloader", "train"), ("val_dataloader", "test"), ("test_dataloader", "test")):
        dataset = config[loader].dataset
        assert (dataset.type, dataset.name, dataset.split, dataset.subset) == ("IRSTDSegDataset", name, "irsam", subset)
        assert [dataset.pipeline[place].type for place in (0, -1)] == ["LoadIRSTDPair", "PackSegInputs"]
    assert config.train_dataloader.batch_size > config.val_dataloader.batch_size == 1
    assert len(dataset.pipeline) == 2  # nothing changes the size of a test image


def test_every_data_set_has_a_configuration():
    assert {path.stem for path in CONFIGS.glob("*.py")} == set(NAMES)


def test_the_synthetic_set_from_its_configuration():
    config = Config.fromfile(CONFIGS / "synthetic.py")
    train, test = build(**config.train_dataloader.dataset), build(**config.val_dataloader.dataset)
    assert (len(train), len(test)) == (160, 40)
    for place, item in enumerate(test.source):
        packed = test[place]
        height, width = item["image"].shape
        assert (packed["inputs"].dtype, packed["inputs"].shape) == (torch.uint8, (3, height, width))
        np.testing.assert_array_equal(packed["data_samples"].gt_sem_seg.data[0].numpy(), item["mask"])
    for place in range(0, 160, 16):
        packed = train[place]
        assert packed["inputs"].shape[1:] == packed["data_samples"].gt_sem_seg.shape


def test_a_perfect_prediction_scores_1():
    dataset = build(name="synthetic", pipeline=PIPELINE, indices=3, test_mode=True)
    evaluator = Evaluator(IRSTDMetric())
    for packed in dataset:
        sample = packed["data_samples"]
        sample.pred_sem_seg = sample.gt_sem_seg.clone()
        evaluator.process([sample])
    metrics = evaluator.evaluate(3)
    assert (metrics["irstd/IoU"], metrics["irstd/Pd"], metrics["irstd/Fa"]) == (1, 1, 0)


def test_two_iterations_of_training_and_a_validation(tmp_path):
    (tmp_path / "config.py").write_text(TRAINING)
    line = next(line for line in run(RUN, tmp_path / "config.py", tmp_path / "work").splitlines() if line.startswith("RESULT"))
    iterations, images, scalars = json.loads(line.removeprefix("RESULT"))
    assert (iterations, images) == (2, 2)
    assert len(scalars["train/loss"]) == 2
    assert all(0.1 < loss < 10 for loss in scalars["train/loss"])
    assert all(len(scalars[f"val/irstd/{name}"]) == 1 and 0 <= scalars[f"val/irstd/{name}"][0] <= 1 for name in ("IoU", "Pd"))


@pytest.mark.real_data
def test_published_sets_from_their_configurations(data_root):
    for name, count in (("irstd-1k", 200), ("nudt-sirst", 266), ("nuaa-sirst", 86)):
        config = Config.fromfile(CONFIGS / f"{name}.py").val_dataloader.dataset
        dataset = build(**config, root=str(data_root))
        assert len(dataset) == count
        packed, item = dataset[7], dataset.source[7]
        np.testing.assert_array_equal(packed["inputs"][0].numpy(), item["image"])
        np.testing.assert_array_equal(packed["data_samples"].gt_sem_seg.data[0].numpy(), item["mask"])
        assert packed["data_samples"].img_path == str(dataset.source.image_path(item["id"]))
