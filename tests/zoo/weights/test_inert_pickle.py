import builtins
import collections
import contextlib
import copyreg
import datetime
import enum
import functools
import os
import pathlib
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest
import torch

from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.weights import inert_pickle
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint
from irsam_zoo.zoo.weights.inert_pickle import Global, StandIn
from tests.checkpoint_forms import STATE, assert_state
from tests.zoo.weights.builders import peak, replace_in

MODULE = "module_that_only_an_attack_imports"


def load(data, calls=None):
    return inert_pickle.load(data, calls or {}, StandIn)


class Call:
    """An object that a pickle makes by calling a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def bait(tmp_path, monkeypatch):
    """A module that leaves a file when it is imported, and another one for each way in which it is used."""
    touched = tmp_path / "touched"
    touched.mkdir()
    code = f"""
from pathlib import Path
def touch(*name):
    Path({str(touched)!r}, "called").touch()
    return {{}}
class Trap(dict):
    def __new__(cls, *arguments): touch(); return super().__new__(cls)
    def __setstate__(self, state): touch()
    def __setitem__(self, key, value): touch()
    def append(self, value): touch()
    extend = add = update = append
touch()
"""
    (tmp_path / f"{MODULE}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: list(touched.iterdir())
    sys.modules.pop(MODULE, None)


def pickles_that_call():
    """Every way in which a pickle calls, imports or fills something, as bytes that end in STOP."""
    name = MODULE.encode()
    touch, trap = b"c" + name + b"\ntouch\n", b"c" + name + b"\nTrap\n"
    text = b"\x8c" + bytes([len(name)]) + name
    return {
        "global": touch + b".",
        "stack global": b"\x80\x04" + text + b"\x8c\x05touch\x93)R.",
        "reduce": touch + b")R.",
        "arguments": touch + b"(K\x01K\x02tR.",
        "newobj": b"\x80\x02" + trap + b")\x81.",
        "newobj ex": b"\x80\x04" + trap + b")}\x92.",
        "inst": b"(i" + name + b"\ntouch\n.",
        "obj": b"(" + touch + b"o.",
        "build": b"\x80\x02" + trap + b")\x81}b.",
        "build with slots": b"\x80\x02" + trap + b")\x81N}\x86b.",
        "build on the class": trap + b"}X\x0c\x00\x00\x00__setstate__" + touch + b"sb.",
        "setitem": b"\x80\x02" + trap + b")\x81K\x01K\x02s.",
        "setitems": b"\x80\x02" + trap + b")\x81(K\x01K\x02u.",
        "append": b"\x80\x02" + trap + b")\x81K\x01a.",
        "appends": b"\x80\x02" + trap + b")\x81(K\x01e.",
        "additems": b"\x80\x04" + trap + b")\x81(K\x01\x90.",
        "key": b"}" + trap + b")RK\x01s.",
        "nested": b"}X\x01\x00\x00\x00a](" + touch + b"(" + touch + b")RtRes.",
        "persistent id": b"\x80\x02" + touch + b")RQ.",
        "through another pickle": b"\x80\x03c_pickle\nloads\n(C" + bytes([len(touch) + 3]) + touch + b")R.tR.",
        "getattr": b"\x80\x02c__builtin__\ngetattr\n(" + trap + b"X\x06\x00\x00\x00updatetR)R.",
        "partial": b"\x80\x02cfunctools\npartial\n(" + touch + b"tR)R.",
    }


@pytest.mark.parametrize("way", pickles_that_call())
def test_nothing_of_a_pickle_is_imported_or_called(bait, way):
    data = pickles_that_call()[way]
    with contextlib.suppress(ValueError):  # what a call returns cannot be called, as in "getattr"
        load(data)
    assert MODULE not in sys.modules
    assert bait() == []
    with contextlib.suppress(Exception):
        pickle.loads(data)
    assert bait()  # the standard library's unpickler takes it


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", ["whole", "beside", "state", "storage"])
def test_payloads_in_files_of_torch_run_nothing(bait, tmp_path, monkeypatch, zipped, place):
    """The same in whole files: beside weights that are read, or in the place of what torch itself writes there."""
    stub = types.ModuleType(MODULE)
    stub.touch = types.FunctionType((lambda: None).__code__, {}, "touch")
    stub.touch.__module__, stub.touch.__qualname__ = MODULE, "touch"
    monkeypatch.setitem(sys.modules, MODULE, stub)
    evil = Call(stub.touch, 1)
    content = {"state_dict": collections.OrderedDict(STATE)}
    if place == "whole":
        content = evil
    elif place == "beside":
        content |= {"x": evil, "y": [({1: evil},)]}
    elif place == "state":
        content["state_dict"]._metadata = evil
    path = tmp_path / "w.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    if place == "storage":  # a persistent id that names a function where the type of a storage stands
        replace_in(path, b"ctorch\nFloatStorage\n", b"c" + MODULE.encode() + b"\ntouch\n")
    monkeypatch.delitem(sys.modules, MODULE)
    if place in ("whole", "storage"):
        with pytest.raises(ZooError):
            load_checkpoint(path)
    else:
        assert_state(load_checkpoint(path)[0])
    assert MODULE not in sys.modules
    assert bait() == []


COMMANDS = [
    (os.system, "touch {}"),
    (builtins.eval, "open({!r}, 'w')"),
    (builtins.exec, "open({!r}, 'w')"),
    (builtins.open, "{}"),
    (os.mkdir, "{}"),
    (subprocess.Popen, "touch {}"),
]


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
@pytest.mark.parametrize(("function", "argument"), COMMANDS, ids=[function.__name__ for function, _ in COMMANDS])
def test_a_file_that_names_a_command_is_refused_and_runs_nothing(tmp_path, form, function, argument):
    target, path = tmp_path / "ran", tmp_path / "w.pth"
    arguments = [["touch", str(target)]] if function is subprocess.Popen else [argument.format(str(target))]
    arguments += ["w"] if function is builtins.open else []
    content = {"state_dict": STATE, "x": [Call(function, *arguments)]}
    if form == "pickle":
        path.write_bytes(pickle.dumps({"x": content["x"]}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(ZooError, match=rf"names the function \w+\.{function.__name__}, .* None was run here") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_codes_of_the_extension_registry_are_not_looked_up():
    copyreg.add_extension("builtins", "list", 240)
    try:
        with pytest.raises(ValueError, match="EXT1"):
            load(b"\x82\xf0.")
    finally:
        copyreg.remove_extension("builtins", "list", 240)


class Phase(enum.Enum):
    TRAIN = "train"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_those_of_the_standard_library(protocol):
    values = {
        "numbers": [0, 1, 255, 256, 70_000, -5, 2**40, -(2**80), 0.5, float("inf"), True, False, None],
        "text": ["", "a", "ä\n", "x" * 300],
        "bytes": [b"", b"abc", b"y" * 300] if protocol > 2 else [],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "dicts": [{}, {"a": 1}, {1: {2: [3]}, None: "x"}],
        "sets": [{1, 2}] if protocol > 3 else [],
    }
    values["again"] = values["dicts"]
    got = load(pickle.dumps(values, protocol))
    assert got == values
    assert got["again"] is got["dicts"]
    assert [type(x) for x in got["numbers"]] == [type(x) for x in values["numbers"]]


def test_objects_become_stand_ins_that_tell_their_class():
    value = {Phase.TRAIN: datetime.date(2024, 1, 2), "path": pathlib.PurePosixPath("/x"), (1, 2): np.float64(3)}
    got = load(pickle.dumps(value))
    assert [type(key).__name__ for key in got] == ["StandIn", "str", "StandIn"]  # a tuple is no key that can be trusted
    assert got["path"].name == "pathlib.PurePosixPath"
    assert isinstance(load(pickle.dumps(functools.partial)), Global)


def test_functions_of_the_table_are_called():
    data = pickle.dumps([datetime.timedelta(3), datetime.timedelta(4)])
    assert load(data, {"datetime.timedelta": lambda days, *_: days}) == [3, 4]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"N",
        b"K\x01K\x02R.",  # calls a number
        b"c a\nb\nK\x01R.",  # with a number for its arguments
        b"]K\x01K\x02s.",  # sets an item of a list
        b"}(K\x01u.",  # one value too few
        b"K\x01\x86.",  # a pair of one
        b"h\x05.",
        b"t.",
        b"K\x01K\x02\x93.",  # a global without a name
        b"\x97.",
        b"(]d.",  # a key without a value
    ],
)
def test_what_no_program_writes_is_an_error(data):
    with pytest.raises((ValueError, IndexError, KeyError)):
        load(data)


HUGE = {
    "memo": b"Nr\xff\xff\xff\xff.",
    "text": b"X\xff\xff\xff\x7fabc.",
    "long text": b"\x8d" + (2**62).to_bytes(8, "little") + b"abc.",
    "bytes": b"\x8e" + (2**62).to_bytes(8, "little") + b"abc.",
    "byte array": b"\x96" + (2**40).to_bytes(8, "little") + b"abc.",
    "number": b"\x8b\xff\xff\xff\x7fabc.",
    "frame": b"\x80\x04\x95" + (2**62).to_bytes(8, "little") + b"N.",
    "doubled list": b"]" + b"2a" * 2000 + b".",
}


@pytest.mark.parametrize("kind", HUGE)
def test_sizes_that_a_pickle_only_claims_take_no_memory(kind, tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(HUGE[kind])
    assert peak(load, HUGE[kind]) < 2**20
    assert peak(load_checkpoint, path) < 2**20


def test_a_key_of_tuples_in_tuples_takes_no_time():
    tuples = b")" + b"2\x86" * 60  # its hash would visit 2**60 of them
    assert len(load(b"}" + tuples + b"Ns.")) == 1
    assert load(b"\x80\x04\x8f(" + tuples + b"\x90.").pop().name == ""


def test_the_number_of_opcodes_is_bounded(monkeypatch):
    monkeypatch.setattr(inert_pickle, "MOST_OPCODES", 1000)
    load(b"]" + b"Na" * 400 + b".")
    with pytest.raises(ValueError, match="1000 opcodes"):
        load(b"]" + b"Na" * 600 + b".")
