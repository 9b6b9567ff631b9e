"""A cache of yapf that was cut, as by a kill at the first start, ends no import of mmengine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(
    {
        room.name
        for room in (path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")
        for path in room.rglob("*.py")
        if re.search(r"^(from|import) mmengine", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
)


def python(code, cache):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, capture_output=True, text=True
    )


@pytest.fixture
def cache(tmp_path):
    """A cache that yapf has written."""
    done = python("import yapf", tmp_path)
    assert done.returncode == 0, done.stderr
    if not list(tmp_path.rglob("*Grammar*.pickle")):
        pytest.skip("yapf's cache is elsewhere on this system")
    return tmp_path


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("left", [0, 100])
def test_a_cut_cache_ends_no_import(room, left, cache):
    for path in cache.rglob("*Grammar*.pickle"):
        path.write_bytes(path.read_bytes()[:left])
    assert python("import mmengine.config", cache).returncode != 0
    done = python(f"import irsam_zoo.{room}, mmengine.config", cache)
    assert done.returncode == 0, done.stderr


def test_the_grammars_are_those_that_yapf_makes(tmp_path):
    code = "from yapf.yapflib.yapf_api import FormatCode; print(FormatCode('x = [ 1,2 ]; y=dict( a = 1)'))"
    assert python(f"import irsam_zoo.zoo; {code}", tmp_path).stdout == python(code, tmp_path).stdout != ""
