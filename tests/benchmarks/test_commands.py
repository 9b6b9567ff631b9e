"""Whole commands, as a user waits for them: the start of Python and all imports are in the time."""

import subprocess
import sys
from itertools import count

import pytest

from irsam_zoo import ROOT
from tests.benchmarks.builders import seconds

RUN = ("--methods", "top_hat", "--datasets", "synthetic", "--out")


def command(*arguments):
    """What it prints."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run_benchmark.py"), *map(str, arguments)], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize(("argument", "told"), [("--help", "--methods"), ("list", "top_hat")], ids=["help", "list"])
def test_command(benchmark, argument, told):
    assert told in benchmark.pedantic(command, args=(argument,), rounds=3)


def test_run_of_top_hat(benchmark, tmp_path):
    """On the synthetic set, and the same again with nothing to do."""
    numbers = count()
    benchmark.pedantic(command, setup=lambda: ((*RUN, tmp_path / str(next(numbers))), {}), rounds=2)
    row = tmp_path / "0" / "results" / "synthetic" / "irsam" / "top_hat.json"
    first = row.read_bytes()
    benchmark.extra_info["again, s"] = seconds(command, *RUN, tmp_path / "0", repeats=2)
    assert row.read_bytes() == first
