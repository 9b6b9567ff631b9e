"""The tables of docs/training.md are of the configurations, weights and rows that are here."""

import csv
import re
import subprocess

import pytest
import yaml
from safetensors import safe_open

from irsam_zoo.results.store import ResultStore
from irsam_zoo.training.recipe import load_recipe
from irsam_zoo.zoo.index import card_of
from irsam_zoo.zoo.weights.header import INTEGERS, read_header
from tests.deep_methods import DEEP
from tests.docs.tables import ROOT, TITLES, table

PAGE = "docs/training.md"
TRIALS = table(PAGE, "network", "steps in the three phases", "IoU by rate", "taken")
LEAST_GAIN = 2.0  # points of IoU by which the second rate has to be better
OFF_THE_RULE = {"UIU-Net"}  # the page says so
METHOD = {card_of(name).title: name for name in DEEP}


def split_trial(line):
    """The method of a line of the table of trials, its IoU by rate, and the rate that was taken."""
    title, _, tried, taken = line
    rates = {float(rate): float(iou) for rate, iou in (part.split(": ") for part in tried.split(", "))}
    return title.partition(",")[0], rates, float(taken)


def test_every_network_of_the_table_of_trials_has_the_rate_that_it_says_was_taken_last():
    taken = {METHOD[title]: rate for title, _, rate in map(split_trial, TRIALS)}
    for method, rate in taken.items():
        optimizer = load_recipe(method, "budget").optimizer
        rates = [optimizer["lr"]] if "type" in optimizer else [optimizer[f"generator{number}"]["lr"] for number in (1, 2)]
        assert rates == [rate] * len(rates), method
    assert load_recipe("irsam", "budget").optimizer["betas"] == (0.9, 0.99)
    assert set(taken) == set(DEEP) - {"mmseg"}


@pytest.mark.parametrize("line", TRIALS, ids=lambda line: line[0])
def test_the_second_rate_was_taken_where_it_was_two_points_better(line):
    title, ious, taken = split_trial(line)
    (first, before), (second, after) = ious.items()
    by_the_rule = second if after - before >= LEAST_GAIN else first
    assert (taken == by_the_rule) != (title in OFF_THE_RULE)


def test_acmnets_trials_are_both_told_and_the_second_came_after_its_test_rows():
    assert [line[0] for line in TRIALS if line[0].startswith("ACMNet")] == ["ACMNet", "ACMNet, 20 s"]
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    commit, *ious = re.search(r"\(commit `(\w+)`: IoU ([\d.]+), ([\d.]+) and ([\d.]+) on", text).groups()
    rows = {row.dataset: row for row in ResultStore(ROOT / "reports").rows() if row.method == "acmnet" and row.split == "irsam"}
    now = re.search(r"have ([\d.]+), ([\d.]+) and ([\d.]+)", text).groups()
    assert list(now) == [f"{100 * rows[dataset].metrics['exact']['IoU']:.1f}" for dataset in TITLES.values()]
    shown = subprocess.run(["git", "show", f"{commit}:model-index.yml"], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("the history is not here")
    (model,) = [m for m in yaml.safe_load(shown.stdout)["Models"] if m["Metadata"]["Method"] == "acmnet"]
    measured = {result["Dataset"]: result["Metrics"]["IoU"] for result in model["Results"]}
    assert ious == [f"{100 * measured[dataset]:.1f}" for dataset in TITLES.values()]


def test_the_table_of_the_weights_is_of_their_headers_and_rows():
    rows = {(row.method, row.dataset): row for row in ResultStore(ROOT / "reports").rows() if row.split == "irsam"}
    files = list((ROOT / "checkpoints").glob("*.safetensors"))
    headers = {header["method"]: header for header in map(read_header, files)}
    integers = {read_header(path)["method"] for path in files if INTEGERS in str(safe_open(path, "pt").metadata())}
    lines = table(PAGE, "IoU in 1e-2", "steps", *TITLES)
    for title, steps, *cells in lines:
        method = METHOD[title.partition(",")[0]]
        header = headers.pop(method)
        assert steps == str(header["iterations"])
        assert title.endswith("as 8-bit integers") == (method in integers)
        assert cells == [f"{100 * rows[method, dataset].metrics['exact']['IoU']:.1f}" for dataset in TITLES.values()]
    assert not headers


def test_the_trials_on_a_cpu_are_those_that_were_run():
    with open(ROOT / "docs" / "schedule_trials.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figures = [(100, "IoU", ".1f"), (100, "nIoU", ".1f"), (100, "Pd", ".1f"), (1e6, "Fa", ".0f")]
    lines = [
        [row["network"], row["trial"], *(f"{scale * float(row[name]):{form}}" for scale, name, form in figures)] for row in rows
    ]
    assert table(PAGE, "network", "trial", "IoU", "nIoU", "Pd", "Fa in 1e-6") == lines
    for row in rows:
        for change in row["recipe"].split():  # of an entry that recipes have
            name = change.partition("=")[0].partition(".")[0]
            assert hasattr(load_recipe(METHOD[row["network"]], "budget"), name), change


def test_steps_on_a_cpu_are_those_that_were_timed():
    with open(ROOT / "docs" / "cpu_steps.csv", newline="", encoding="utf-8") as file:
        rows = [[row.pop("network"), *map(float, row.values())] for row in csv.DictReader(file)]
    lines = [
        [
            name,
            f"{1e3 * (step + average):.0f} ms, {1e3 * average:.1f}",
            f"{1e3 * (now + averaged):.0f} ms, {1e3 * averaged:.1f}",
            f"{2 / (step + average):.2f} -> {2 / (now + averaged):.2f}",
        ]
        for name, step, average, now, averaged in rows
    ]
    head = "network", "before (`4a15bdf`): step, of it the average", "now", "images a second"
    assert table(PAGE, *head) == lines
