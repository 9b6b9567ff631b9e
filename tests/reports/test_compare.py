"""What changed between two result folders."""

import json
from dataclasses import replace

import pytest

from irsam_zoo.reports.compare import to_text
from irsam_zoo.reports.report import ReportOptions
from irsam_zoo.results.files import write_json
from irsam_zoo.results.store import ResultStore
from irsam_zoo.results.stored_rows import StoredRows
from tests.reports.builders import counts_of, make_row
from tests.results.builders import make_record

OPTIONS = ReportOptions(columns=("FPS", "Pd", "Fa", "AUC", "hIoU"))


def folder(path, pd, *methods, data="x", commit="1", reverse=False, **changes):
    """A folder of rows of 40 images, of which a part is matched."""
    store = ResultStore(path)
    counts = counts_of(round(40 * pd))
    records = [make_record(id=line.pop("id"), counts=line) for line in (counts[::-1] if reverse else counts)]
    for method in methods:
        metrics = {"exact": dict(Pd=pd, Fa=40e-2)}
        row = dict(n_images=40, n_split=40, metrics=metrics, auc=pd, key={"code": commit, "data": data}, code=commit)
        store.write_row(make_row(method, **row | changes), records)
    write_json(
        store.manifest_path, [{"python": "3.10"}, {"python": "3.11", "config": {"jobs": 1}, "wall_seconds": len(path.name)}]
    )
    return StoredRows.read(path)


def lines_of(text):
    return {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}


def test_figures_images_and_the_rows_of_one_folder_alone(tmp_path):
    a, b = folder(tmp_path / "before", 0.25, "ipi", "nram"), folder(tmp_path / "after", 0.75, "ipi", "ript", commit="2")
    text = to_text(a, b, OPTIONS)
    assert f"Only in {a.store.out}: nram on nuaa-sirst (irsam)." in text
    assert f"Only in {b.store.out}: ript on nuaa-sirst (irsam)." in text
    assert text.count("## ipi on nuaa-sirst (irsam)") == 1
    assert "- commit: 1 -> 2" in text
    assert "- key.code: 1 -> 2" in text
    lines = lines_of(text)
    assert lines["Pd"].startswith("| Pd | 25.00 | 75.00 | +50.00 | [+")
    assert lines["Pd"].endswith("| 0.002 | better |")
    assert lines["FPS"] == "| FPS | 12.5 | 12.5 | +0 |  |  | unchanged |"
    assert lines["AUC"].endswith("| not tested |")
    assert "hIoU" not in lines
    assert "20 of 40 images are counted differently; IoU: 10 0.0 to 100.0, 11 0.0 to 100.0" in text


def test_folders_without_a_common_row_say_so_and_name_few(tmp_path):
    a, b = folder(tmp_path / "a", 0.25, *(f"m{k:02}" for k in range(30))), folder(tmp_path / "b", 0.75, "ript")
    text = to_text(a, b, OPTIONS)
    assert "No method has a row of one data set and split in both." in text
    assert "m07 on nuaa-sirst (irsam); and 22 more rows." in text
    assert "m08" not in text


@pytest.mark.parametrize(("pd", "verdict"), [(0.725, "may be chance"), (0.25, "worse")])
def test_a_change_that_may_be_chance_is_told_from_one_for_the_worse(tmp_path, pd, verdict):
    text = to_text(folder(tmp_path / "a", 0.75, "ipi"), folder(tmp_path / "b", pd, "ipi"), OPTIONS)
    assert lines_of(text)["Pd"].endswith(f"| {verdict} |")


def test_images_of_other_names_are_others_though_nothing_is_known_of_their_pixels(tmp_path):
    a, b = folder(tmp_path / "a", 0.25, "ipi", data=None), folder(tmp_path / "b", 0.75, "ipi", data=None)
    path = b.store.row_path("nuaa-sirst", "irsam", "ipi").with_suffix(".csv")
    path.write_text(path.read_text().replace("\n39,", "\nother,"))
    b.rows[0] = replace(b.rows[0], images_sha256=None)
    text = to_text(a, b, OPTIONS)
    assert "The images are others" in text
    assert "counted differently" not in text


def test_the_manifests_of_the_last_runs_are_compared_but_for_their_time(tmp_path):
    a, b = folder(tmp_path / "a", 0.5, "ipi"), folder(tmp_path / "bcd", 0.5, "ipi")
    text = to_text(a, b, OPTIONS)
    assert text.endswith("## Manifests\n\n")
    assert "No image of 40 is counted differently." in text
    runs = json.loads(b.store.manifest_path.read_text())
    runs[-1]["config"]["jobs"] = 2
    write_json(b.store.manifest_path, runs)
    assert to_text(a, b, OPTIONS).endswith("## Manifests\n\n- config.jobs: 1 -> 2\n")


@pytest.mark.parametrize("change", [dict(data="y"), dict(reverse=True)])
def test_other_images_are_not_tested(tmp_path, change):
    text = to_text(folder(tmp_path / "a", 0.25, "ipi"), folder(tmp_path / "b", 0.75, "ipi", **change), OPTIONS)
    assert lines_of(text)["Pd"].endswith("| +50.00 |  |  | not tested |")
    assert ("The images are others" in text) == ("data" in change)
