"""Numbers of docs/reproduction.md and README.md are of the committed rows."""

import re

from mmengine.config import Config

from irsam_zoo.results.store import ResultStore
from irsam_zoo.zoo import list_methods
from irsam_zoo.zoo.index import card_of
from irsam_zoo.zoo.weights.known_weights import catalogue
from tests.docs.tables import ROOT

STORE = ResultStore(ROOT / "reports")
ROWS = {(row.method, row.dataset, row.split): row for row in STORE.rows()}
PAGE = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
SQUARE = 512 * 512


def test_by_how_much_a_square_for_every_image_makes_fa_smaller():
    factors = []
    for dataset in ("nudt-sirst", "nuaa-sirst"):
        images = STORE.counts(ROWS["top_hat", dataset, "irsam"])
        factors.append(len(images) * SQUARE / sum(image["pixels"] for image in images))
    told = re.search(r"makes it ([\d.]+) times smaller on NUDT-SIRST and ([\d.]+) times on NUAA-SIRST", PAGE).groups()
    assert list(told) == [f"{factor:.1f}" for factor in factors]


def test_the_gap_between_the_size_of_the_input_and_that_of_the_image():
    gaps = {"IoU": [], "nIoU": []}
    for name in ("open-acm", "open-alcnet", "acm-pytorch-unet", "acm-pytorch-fpn"):
        (result,) = catalogue()[name].results
        metrics = ROWS[name, result.dataset, result.split].metrics["exact"]
        for metric, found in gaps.items():
            found.append(100 * metrics[metric] - result.measured[metric])
    text = f"{min(gaps['IoU']):.1f} to {max(gaps['IoU']):.1f} IoU, {min(gaps['nIoU']):.0f} to {max(gaps['nIoU']):.0f} nIoU"
    assert f"| {text} |" in PAGE


def test_the_later_networks_with_rows_are_those_that_readme_names():
    after = [name for name in Config.fromfile(ROOT / "configs" / "tables" / "table1.py").after if name in list_methods()]
    with_rows = {card_of(name).title for name in after if (name, "irstd-1k", "irsam") in ROWS}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.search(r"below it, where (\w+) and (\w+) have rows", readme).groups()) == with_rows
    assert all(card_of(name).title in readme for name in after)
