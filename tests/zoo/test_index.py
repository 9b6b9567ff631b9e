"""The index of the package's methods."""

import json
import subprocess
import sys

from irsam_zoo import ROOT
from irsam_zoo.zoo import index


def test_the_index_is_that_of_the_classes():
    stored = json.loads(index.INDEX.read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(index.index())), "run: python -m irsam_zoo.zoo.index"


def test_a_method_whose_source_is_another_is_looked_at_itself(monkeypatch):
    entries = {"top_hat": index._entries()["top_hat"] | {"sha256": "0" * 64, "card": {"title": "Old", "notes": []}}}
    monkeypatch.setattr(index, "_entries", lambda: entries)
    index._stored.cache_clear()
    try:
        assert index.facts_of("top_hat").card.title == index.card_of("top_hat").title == "Top-Hat"
        assert set(index.own_methods()) > {"top_hat", "irsam"}  # which the index does not have
    finally:
        index._stored.cache_clear()


def test_a_run_of_numpy_methods_and_lists_import_no_torch(tmp_path):
    code = """
import sys
from importlib.abc import MetaPathFinder

class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        assert name != "torch", "torch is imported"

sys.meta_path.insert(0, NoTorch())
from irsam_zoo.commands.door import main
run = ["--methods", "top_hat", "max_median", "--datasets", "synthetic", "--limit", "4", "--jobs", "1", "--out", sys.argv[1]]
sys.exit(main(run) or main(["list"]))
"""
    (tmp_path / "sitecustomize.py").write_text(code.split("from irsam_zoo")[0])  # for the workers
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "acmnet" in done.stdout
