"""Types of the whole package by pyright: basic, and strict where figures are made.

``python tests/check_types.py [FILE ...]``. The rooms lie beside `irsam_zoo` and not in it, which pyright cannot know: it is
given a copy in which they lie as they are installed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "work_dirs" / "types"
STRICT = ("metrics", "results")


def copy_package():
    """Lay the rooms into the package, in a folder that is made anew."""
    shutil.rmtree(COPY, ignore_errors=True)
    for room in (path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"):
        for path in room.rglob("*.py"):
            target = COPY / "irsam_zoo" / path.relative_to(room if room.name == "irsam_zoo" else ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    options = {"include": ["irsam_zoo"], "strict": [f"irsam_zoo/{room}" for room in STRICT], "typeCheckingMode": "basic"}
    (COPY / "pyrightconfig.json").write_text(json.dumps(options), encoding="utf-8")


def main(files):
    """Check, print what is wrong by the checkout's paths, and give pyright's exit status."""
    copy_package()
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *(f"irsam_zoo/{file}" for file in files)]
    done = subprocess.run(command, cwd=COPY, capture_output=True, text=True)
    print(done.stdout.replace(f"{COPY}/irsam_zoo/", "").replace(str(COPY), "."), done.stderr, sep="", end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
