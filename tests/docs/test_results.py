"""What docs/results.md says of scenes that a test list shares with its training list."""

import re

from irsam_zoo.datasets.splits import SPLIT_DIR
from irsam_zoo.results.store import ResultStore
from tests.deep_methods import DEEP
from tests.docs.tables import ROOT, TITLES

PAGE = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
PAIRS = [line.split() for line in (ROOT / "datasets/fingerprints/shared_scenes.txt").read_text().splitlines()]
STORES = [ResultStore(ROOT / "reports"), ResultStore(ROOT / "reports" / "studies" / "cross_set")]


def change(store, row):
    """IoU in 1e-2 without the images whose scene is in the training list, minus that of all."""
    shared = {test for dataset, test, _ in PAIRS if dataset == row.dataset}
    images = store.counts(row)
    rest = [image for image in images if image["id"] not in shared]
    assert len(images) - len(rest) == len(shared)
    whole, left = (sum(i["intersection"] for i in part) / sum(i["union"] for i in part) for part in (images, rest))
    return 100 * (left - whole)


def changes(dataset, wanted):
    return {
        row.method: change(store, row)
        for store in STORES
        for row in store.rows()
        if (row.dataset, row.split) == (dataset, "irsam") and wanted(row.method)
    }


def test_the_pairs_are_of_a_test_and_a_training_image():
    for dataset in TITLES.values():
        found = [(test, train) for name, test, train in PAIRS if name == dataset]
        ids = {name: (SPLIT_DIR / dataset / "irsam" / f"{name}.txt").read_text().split() for name in ("test", "train")}
        assert len({test for test, _ in found}) == len(found)
        assert {test for test, _ in found} <= {*ids["test"]}
        assert {train for _, train in found} <= {*ids["train"]}


def test_how_many_there_are():
    told = re.search(r"at least (\d+) test images of NUDT-SIRST .*?, (\d+) of IRSTD-1k and (\d+) of NUAA", PAGE, re.DOTALL)
    counted = [sum(name == dataset for name, _, _ in PAIRS) for dataset in ("nudt-sirst", "irstd-1k", "nuaa-sirst")]
    assert [int(number) for number in told.groups()] == counted


def test_what_leaving_them_out_does_to_the_rows():
    number = r"([-+]?[\d.]+)"
    told = re.search(
        rf"changes by {number} to {number} on NUDT-SIRST .*?gain {number} to {number}\), by {number} to {number} on "
        rf"IRSTD-1k and by {number} to {number} on NUAA",
        PAGE,
        re.DOTALL,
    ).groups()
    ours = {dataset: changes(dataset, DEEP.__contains__) for dataset in TITLES.values()}
    others = changes("nudt-sirst", lambda name: name.endswith(("_on_irstd-1k", "_on_nuaa-sirst")))
    own = changes("nudt-sirst", lambda name: name.endswith("_on_nudt-sirst"))
    groups = (ours["nudt-sirst"], others, ours["irstd-1k"], ours["nuaa-sirst"])
    ends = [end(found.values()) for found in groups for end in (min, max)]
    assert [float(text) for text in told] == [round(end, 1) for end in ends]
    assert {name for name, found in ours["nudt-sirst"].items() if found > 0} == {"irsam", "isnet", "mdvsfa"}
    assert len(ours["nudt-sirst"]) == 10
    assert max(own.values()) < 0
