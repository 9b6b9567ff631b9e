"""The summary of a run of benchmarks, for people: ``benchmarks.md``, beside the figures that benchmarks draw."""

import os
import platform
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import pytest

from irsam_zoo.runtime.hardware import processor
from irsam_zoo.runtime.workers import prepare_worker

PACKAGES = ("torch", "numpy", "scipy", "numba", "opencv-python")
LEFT_OUT = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption("--summary", metavar="DIR", default="work_dirs/bench", help="folder of benchmarks.md and its figures")


@pytest.fixture(scope="session", autouse=True)
def worker():
    """All is measured as in a worker process of a benchmark."""
    prepare_worker()


@pytest.fixture(scope="session")
def figures(request):
    """The folder of the figures of a run."""
    folder = summary_folder(request.config) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def summary_folder(config):
    return config.rootpath / config.getoption("--summary")


def pytest_deselected(items):
    for item in items:
        if "benchmark" in item.fixturenames:
            why = " (slow)" if item.get_closest_marker("slow") else ""
            item.config.stash.setdefault(LEFT_OUT, {})[item.nodeid] = f"not run{why}"


def pytest_benchmark_update_json(config, output_json):
    lines = {run["fullname"]: measured(run) for run in output_json["benchmarks"]}
    lines |= {name: f"{why} | | " for name, why in config.stash.get(LEFT_OUT, {}).items()}
    text = head(output_json["commit_info"])
    if any("::test_scaling[" in run["fullname"] for run in output_json["benchmarks"]):
        text += "\n![Time of scoring by side, targets and false alarms](figures/scaling.png)\n"
    for file, names in groupby(sorted(lines), key=lambda name: name.partition("::")[0]):
        text += f"\n## {Path(file).name}\n\n| benchmark | median, ms | least, ms | besides |\n|---|---|---|---|\n"
        text += "".join(f"| {name.partition('::')[2].removeprefix('test_')} | {lines[name]} |\n" for name in names)
    for folder in (config.getoption("benchmark_json").parent, summary_folder(config)):
        folder.mkdir(parents=True, exist_ok=True)
    (summary_folder(config) / "benchmarks.md").write_text(text, encoding="utf-8")


def head(commit):
    """What the figures were measured on."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f"; load average of the last 15 minutes {os.getloadavg()[2]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        "# Benchmarks\n\nWritten by `tox -e bench`; its JSON has every round.\n"
        "Times are of the wall clock, ratios are of times of the same run, and results that are compared agree.\n\n"
        f"{processor()}, {os.cpu_count()} processors, one thread, {platform.system()}{load}.\n"
        f"Python {platform.python_version()}, {versions}.\n"
        f"Commit {commit['id'][:12] if commit['id'] else 'unknown'}{' with changes' if commit['dirty'] else ''}.\n"
    )


def measured(run):
    """The cells of a benchmark that was run."""
    besides = [f"{name} {short(value)}" for name, value in run["extra_info"].items() if not isinstance(value, dict)]
    return " | ".join([short(1000 * run["stats"]["median"]), short(1000 * run["stats"]["min"]), "; ".join(besides)])


def short(value):
    """Three digits of a number that is no integer."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
