"""The page on extending, run: each kind of thing that may come from outside is seen in the table."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def test_what_the_page_shows_is_seen_in_the_table(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    plugin, images = tmp_path / "mine.py", tmp_path / "set"
    plugin.write_text(code, encoding="utf-8")
    mask = np.zeros((32, 32), np.uint8)
    mask[10:13, 10:13] = 255
    for name, picture in (("images", 40 + mask // 2), ("masks", mask)):
        (images / name).mkdir(parents=True)
        for image_id in "ab":
            cv2.imwrite(str(images / name / f"{image_id}.png"), picture)
    (images / "train.txt").write_text("a\n")
    (images / "test.txt").write_text("b\n")

    def python(*arguments):
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=True)

    out = tmp_path / "out"
    run = ["--methods", "bright", "--plugin", plugin, "--datasets", images, "--threshold", "best_f1", "--out", out, "--jobs", 1]
    python("run_benchmark.py", *run)
    python("run_benchmark.py", "report", "--out", out, "--plugin", plugin, "--columns", "IoU", "F2")
    text = (out / "report" / "table1.md").read_text(encoding="utf-8")
    assert "| Method | IoU ↑ | F2 ↑ | Images | Threshold | Status |" in text
    assert "| Bright <sup>OS</sup> | 100.00 | 100.0 | 1 | best_f1 | ok |" in text
    with open(out / "report" / "table1.csv", newline="") as file:
        lines = {line["metric"]: line for line in csv.DictReader(file) if line["method"] == "bright"}
    assert (lines["F2"]["measured"], lines["F2"]["ci95_low"]) == ("100.0", "100.0")
