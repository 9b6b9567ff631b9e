"""Each case runs in a fresh interpreter: what is tested is the order of imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(code):
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def fake_package(folder, name, text):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)
    return f"import sys; sys.path.insert(0, {str(folder)!r})\n"


def test_segment_anything_without_torchvision():
    code = """
import importlib.util, sys
from irsam_zoo.zoo._compat import import_segment_anything
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torchvision" else find_spec(name, *rest)
modeling = import_segment_anything()
import segment_anything.modeling
assert segment_anything.modeling is modeling is import_segment_anything()
assert not hasattr(segment_anything, "SamPredictor") and "torchvision" not in sys.modules
block = modeling.TwoWayTransformer(depth=1, embedding_dim=8, num_heads=2, mlp_dim=16)
print(type(block).__module__)
"""
    assert run(code) == ["segment_anything.modeling.transformer"]


def test_segment_anything_with_torchvision_is_imported_as_it_is(tmp_path):
    prelude = fake_package(tmp_path, "torchvision", "")
    fake_package(tmp_path, "segment_anything", "import torchvision\nfrom . import modeling\nwhole = True\n")
    (tmp_path / "segment_anything" / "modeling.py").write_text("here = True\n")
    code = "from irsam_zoo.zoo._compat import import_segment_anything as f; m = f(); "
    code += "import segment_anything as s; print(m.here, s.whole)"
    assert run(prelude + code) == ["True", "True"]


@pytest.mark.parametrize(("call", "package"), [("import_segment_anything", "segment_anything"), ("import_mmseg", "mmseg")])
def test_a_missing_package_is_one_line_with_the_remedy(call, package):
    code = f"""
import importlib.util
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo._compat import {call}
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find_spec(name, *rest)
try:
    {call}()
except ZooError as error:
    print(str(error).count(chr(10)), {package!r} in str(error), "pip install" in str(error))
"""
    assert run(code) == ["0", "True", "True"]


def test_mmseg_imports_and_the_stand_in_goes_away():
    code = """
import sys
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo._compat import import_mmseg
mmseg = import_mmseg()
import mmcv
assert "mmcv._ext" not in sys.modules and not hasattr(mmcv, "_ext")
assert import_mmseg() is mmseg
import mmseg.datasets, mmseg.models
print(mmseg.models.EncoderDecoder.__name__, mmseg.datasets.BaseSegDataset.__name__)
import torch
from mmcv.ops import softmax_focal_loss
try:
    softmax_focal_loss(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long), 2.0, 0.25, None, "mean")
except ZooError as error:
    print("compiled" in str(error))
"""
    assert run(code) == ["EncoderDecoder", "BaseSegDataset", "True"]


def test_zoo_and_baselines_leave_mmseg_alone_until_it_is_needed():
    code = """
import sys
import irsam_zoo.baselines.every
print(any(name.split(".")[0] in ("mmseg", "mmcv") for name in sys.modules))
"""
    assert run(code) == ["False"]
