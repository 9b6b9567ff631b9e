"""What a manifest is compared by."""

import json

import pytest

from irsam_zoo.engine.manifest import VERSION, differences, read_run
from irsam_zoo.zoo import UsageError


def test_what_differs_is_one_line_each():
    before = {"python": "3.11", "packages": {"torch": "1", "numpy": "2"}, "plugins": {"/a.py": "x" * 64}, "wall_seconds": 3}
    after = {"python": "3.11", "packages": {"torch": "2", "numpy": "2"}, "plugins": {"/a.py": None}, "wall_seconds": 4}
    assert list(differences(before, after)) == [
        "packages, torch: 1 there, 2 here",
        f"plugins, /a.py: {'x' * 12}... there, none here",
    ]
    assert list(differences({}, {"rows": {"a": "1"}})) == ["rows: none there, {'a': '1'} here"]


@pytest.mark.parametrize("text", ["", "[", "{}", "[]", '["a"]', '[{"config": 3}]', '[{"config": {"dataset": "d"}}]'])
def test_a_file_that_is_no_manifest_is_one_line(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UsageError, match=r"m\.json"):
        read_run(tmp_path / "m.json")


def test_the_last_run_of_methods_counts(tmp_path):
    runs = [{"config": {"methods": [name]}, "version": VERSION} for name in "ab"]
    (tmp_path / "m.json").write_text(json.dumps([*runs, {"config": {"dataset": "d"}}]))
    assert read_run(tmp_path / "m.json") == runs[1]
    (tmp_path / "m.json").write_text(json.dumps([runs[0] | {"version": VERSION + 1}]))
    with pytest.raises(UsageError, match="this program knows"):
        read_run(tmp_path / "m.json")
