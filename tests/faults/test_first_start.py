"""The first start on a machine, or one after a start that was killed: what is in the user's cache ends no command."""

import subprocess
import sys

import pytest

from tests.faults.program import PATIENCE, finish, start

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("left", [0, 100])
def test_a_cut_cache_of_the_user_ends_no_command(tmp_path, monkeypatch, tried, left):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    subprocess.run([sys.executable, "-c", "import yapf"], check=True)
    caches = list(tmp_path.rglob("*Grammar*.pickle"))
    assert caches
    for path in caches:
        path.write_bytes(path.read_bytes()[:left])
    tried("cut cache of the user")
    assert finish("list", folder=tmp_path) == (0, "")


def test_eight_programs_start_at_once_on_an_emptied_cache(tmp_path, monkeypatch, tried):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tried("program that starts with seven others on an emptied cache", 8)
    programs = [start("list", folder=tmp_path) for _ in range(8)]
    assert [(program.communicate(timeout=PATIENCE)[1], program.returncode) for program in programs] == [("", 0)] * 8
    assert not list(tmp_path.rglob("*Grammar*"))  # what no program writes, none finds in part
