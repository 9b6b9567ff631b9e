import argparse
import datetime
import enum
import os
import pathlib
import pickle
import random
import subprocess
import sys
import warnings
import zipfile
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint
from irsam_zoo.zoo.weights.inert_pickle import StandIn
from irsam_zoo.zoo.weights.torch_files import tensor_dicts
from tests.checkpoint_forms import STATE, assert_state
from tests.zoo.weights.builders import peak, replace_in

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "weights"
forms = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def save(content, path, zipped, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch cannot show the source of classes made here
        torch.save(content, path, _use_new_zipfile_serialization=zipped, **options)


# Tensors


@forms
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_are_those_that_torch_reads(tmp_path, zipped, protocol):
    whole = torch.randn(6, 4)
    state = {
        "whole": whole,
        "row": whole[2],
        "columns": whole[:, 1:3],
        "transposed": whole.t(),
        "expanded": whole[:1].expand(5, 4),
        "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(torch.randn(2)),
        **{str(t): torch.arange(5).to(t) for t in (torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.int8)},
        **{str(t): torch.arange(5).to(t) for t in (torch.int16, torch.int32, torch.int64, torch.bool, torch.complex64)},
    }
    if zipped:  # the older form has no names for these
        state |= {str(t): torch.arange(5).to(t) for t in (torch.uint16, torch.uint32, torch.float8_e4m3fn)}
    state["parameter"].remark = "an attribute, which is stored beside the values"
    save(state, tmp_path / "w.pth", zipped, pickle_protocol=protocol)
    want = torch.load(tmp_path / "w.pth", weights_only=protocol < 4)  # torch's own safe reader ends there
    got, _ = load_checkpoint(tmp_path / "w.pth")
    assert list(got) == list(want)
    for key, value in want.items():
        assert (got[key].dtype, got[key].shape) == (value.dtype, value.shape)
        assert torch.equal(got[key].to(torch.complex64), value.to(torch.complex64))
    assert got["whole"].data_ptr() == got["transposed"].data_ptr()


@forms
def test_a_tensor_of_a_subclass_is_read_as_a_tensor(tmp_path, zipped):
    class Special(torch.Tensor):
        pass

    Special.__module__, Special.__qualname__ = "__main__", "Special"
    sys.modules["__main__"].Special = Special
    try:
        save({"a": torch.arange(3.0).as_subclass(Special)}, tmp_path / "w.pth", zipped)
    finally:
        del sys.modules["__main__"].Special
    assert load_checkpoint(tmp_path / "w.pth")[0]["a"].tolist() == [0, 1, 2]


def test_a_storage_may_be_a_part_of_another_in_the_older_form(tmp_path):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", torch.FloatStorage, "0", "cpu", 10, ("1", 4, 6)) if torch.is_storage(value) else None

    with open(tmp_path / "w.pth", "wb") as file:
        for value in (torch.serialization.MAGIC_NUMBER, 1001, {"little_endian": True}):
            pickle.dump(value, file, 2)
        Pickler(file, 2).dump({"a": torch.zeros(6)[1:]})
        pickle.dump(["0"], file, 2)
        file.write((10).to_bytes(8, "little") + np.arange(10, dtype=np.float32).tobytes())
    assert torch.load(tmp_path / "w.pth")["a"].tolist() == [5, 6, 7, 8, 9]
    assert load_checkpoint(tmp_path / "w.pth")[0]["a"].tolist() == [5, 6, 7, 8, 9]


def test_tensors_outside_their_storage_are_refused(tmp_path):
    for field, value in (("numel", b"K\x63"), ("first", b"K\x00")):
        path = tmp_path / f"{field}.pth"
        torch.save({"a": torch.zeros(99, dtype=torch.uint8)}, path)
        assert_state(load_checkpoint(path)[0], {"a": torch.zeros(99, dtype=torch.uint8)})
        replace_in(path, value, value[:1] + bytes([value[1] + 1]))
        with pytest.raises(ZooError, match="damaged or cut short"):
            load_checkpoint(path)


def test_tensors_that_are_not_taken_are_not_read(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"state_dict": STATE, "optimizer": {"state": {0: torch.zeros(2**20)}}}, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data[:10] if len(data) > 2**20 else data)
    assert_state(load_checkpoint(path)[0])


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused_before(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02]" + b"Na" * 2**26 + b".")
    assert path.stat().st_size < 2**20
    with pytest.raises(ZooError, match=r"damaged.*unpacks to 134,217,732 bytes"):
        load_checkpoint(path)
    assert peak(load_checkpoint, path) < 2**20


def test_files_of_big_endian_machines_are_told(tmp_path):
    torch.save(STATE, tmp_path / "w.pth")
    replace_in(tmp_path / "w.pth", b"little", b"big")
    with pytest.raises(ZooError, match="big-endian"):
        load_checkpoint(tmp_path / "w.pth")


# What stands beside the weights


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


class Options(dict):
    """Stands for the option classes of many projects."""

    __getattr__ = dict.__getitem__


BESIDE = {
    "NumPy random state": lambda: np.random.default_rng(0).bit_generator.state | {"old": np.random.get_state()},
    "Python random state": random.getstate,
    "torch random state": torch.get_rng_state,
    "NumPy text": lambda: np.str_("e3"),
    "NumPy date": lambda: np.datetime64("2024-01-02"),
    "NumPy scalars": lambda: [np.float64(0.7), np.float32(1), np.uint32(3), np.bool_(True), np.complex64(1j)],
    "NumPy arrays": lambda: [np.zeros(3), np.arange(4, dtype=">u2"), np.array(["a"]), np.array([None]), np.ma.zeros(2)],
    "structured array": lambda: np.zeros(2, [("a", "f4"), ("b", "U3")]),
    "date": datetime.datetime.now,
    "time zone": lambda: datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1),
    "path": lambda: Path("/a/b"),
    "pure path": lambda: pathlib.PureWindowsPath("c:/x"),
    "sets": lambda: [{1, 2}, frozenset("ab")],
    "dicts": lambda: [OrderedDict(a=1), defaultdict(list, a=[1]), Counter("aab"), deque([1])],
    "enums": lambda: [Colour.RED, Level.LOW | Level.HIGH, {Colour.RED: 1}],
    "namespace": lambda: argparse.Namespace(lr=0.1, out=Path("x"), phase=Colour.RED),
    "options": lambda: Options(a=Options(b=1)),
    "slice and range": lambda: [slice(1, 2), range(3), 1j, bytearray(b"a"), ...],
    "types": lambda: [int, nn.Conv2d, torch.float32, torch.device("cpu"), torch.Size([1, 2])],
    "functions": lambda: [len, os.path.join, np.mean, torch.relu],
    "a loss": nn.BCELoss,
    "history": lambda: HistoryBuffer([1.0], [1]),
    "exception": lambda: ValueError("x"),
    "quantised tensor": lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
    "sparse tensor": lambda: torch.eye(3).to_sparse(),
    "storage": lambda: torch.zeros(3).untyped_storage(),
    "tuple keys": lambda: {(1, 2): 3, None: 4, b"k": 5},
}


@forms
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("kind", BESIDE)
def test_objects_beside_the_weights_are_no_obstacle(tmp_path, zipped, kind):
    content = {"x": BESIDE[kind](), "state_dict": OrderedDict(STATE), "epoch": 3}
    save(content, tmp_path / "w.pth", zipped)
    state, metadata = load_checkpoint(tmp_path / "w.pth")
    assert_state(state)
    assert metadata == {"epoch": 3}


def test_a_training_state_of_mmengine_is_read(tmp_path):
    hub = {"log_scalars": {"train/loss": HistoryBuffer([1.0], [1])}, "runtime_info": {"iter": 2}, "resumed_keys": {}}
    averaged, plain = ({key: value + shift for key, value in STATE.items()} for shift in (0, 1))
    content = {
        "meta": {"iter": 2, "time": "x", "cfg": "model = dict()"},
        "state_dict": averaged,  # mmengine's hook swaps the two
        "ema_state_dict": {**{f"module.{key}": value for key, value in plain.items()}, "steps": torch.tensor(3)},
        "message_hub": hub,
        "optimizer": {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1}]},
        "param_schedulers": [{"last_step": 2}],
    }
    torch.save(content, tmp_path / "iter_2.pth")
    state, metadata = load_checkpoint(tmp_path / "iter_2.pth", STATE)
    assert_state(state)
    assert metadata == {}


def test_the_form_is_told_from_the_content_and_not_from_the_name(tmp_path):
    for zipped in (True, False):
        save(STATE, tmp_path / "w.safetensors", zipped)
        assert_state(load_checkpoint(tmp_path / "w.safetensors")[0])


# Pickled modules


class Block(nn.Module):
    """Stands for the authors' module classes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.PReLU(), nn.Identity())])
        self.tied = self.blocks[0]
        self.register_buffer("kept", torch.randn(2))
        self.register_buffer("grid", torch.randn(2), persistent=False)
        self.register_buffer("none", None)
        self.plain = torch.randn(3)  # no parameter: not in the state dict
        self.option = argparse.Namespace(a=1)


@forms
@pytest.mark.parametrize("wrapper", ["alone", "in a dict", "DataParallel", "double precision"])
def test_of_a_pickled_module_the_state_dict_is_read_without_its_class(tmp_path, zipped, wrapper):
    module = Block()
    module = nn.DataParallel(module) if wrapper == "DataParallel" else module.double() if "double" in wrapper else module
    want = {key.removeprefix("module."): value for key, value in module.state_dict().items()}
    content = {"model": module, "epoch": 3, "ema": None} if wrapper == "in a dict" else module
    save(content, tmp_path / "w.pkl", zipped)
    replace_in(tmp_path / "w.pkl", b"tests.zoo.weights.test_torch_files\nBlock\n", b"package.nobody_has\nBlock\n")
    got, _ = load_checkpoint(tmp_path / "w.pkl")
    assert_state(got, want)
    assert "blocks.1.0.weight" in got
    assert "tied.weight" in got


def test_modules_that_hold_each_other_end_in_an_error(tmp_path, monkeypatch):
    def module(children):
        value = StandIn("x")
        value.state = {"_parameters": {}, "_buffers": {}, "_modules": children}
        return value

    twice = module({})
    for _ in range(60):  # 2**60 names
        twice = module({"a": twice, "b": twice})
    with pytest.raises(ValueError, match="without end"):
        tensor_dicts(twice)
    circle = module({})
    circle.state["_modules"]["again"] = circle
    with pytest.raises(ValueError, match="without end"):
        tensor_dicts(circle)
    deep = inner = {}
    for _ in range(10_000):
        inner["a"] = inner = {}
    inner["itself"] = deep
    assert tensor_dicts(deep) == []


def shared_weights(name):
    path = PUBLISHED / name
    if not path.is_file():
        pytest.skip(f"no published weights: {path} is missing")
    return path


STUBS = """
import sys, types, torch
from torch import nn
class Finder(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        made = type(name, (nn.Module,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made
for name in ("model", "model.segmentation", "model.fusion"): sys.modules[name] = Finder(name)
sys.modules["model"].__path__ = []
thnn = types.ModuleType("torch.nn.backends.thnn"); thnn._get_thnn_function_backend = lambda: None
sys.modules["torch.nn.backends"] = types.ModuleType("torch.nn.backends"); sys.modules["torch.nn.backends.thnn"] = thnn
torch.save(torch.load(sys.argv[1], map_location="cpu", weights_only=False).state_dict(), sys.argv[2])
"""


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["Epoch-225_IoU-0.7152_nIoU-0.7281.pkl", "Epoch-184_IoU-0.6954_nIoU-0.7121.pkl"])
def test_the_published_modules_are_read_as_torch_reads_them(tmp_path, name):
    path = shared_weights(f"acm-pytorch/{name}")
    subprocess.run([sys.executable, "-W", "ignore", "-c", STUBS, str(path), str(tmp_path / "w.pth")], check=True)
    assert_state(load_checkpoint(path)[0], torch.load(tmp_path / "w.pth", weights_only=True))
    assert "model.segmentation" not in sys.modules
