"""Faults of the program as it was at 4a15bdf, each shown by a command line alone.

``python tests/faults/shown_faults.py [CHECKOUT]`` tells of each whether the program of a checkout, by default this one, has it,
and ends with status 1 where it has any. Kills and file systems without locks are shown by `test_kills` and `test_files` alone.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds for what takes some, on a machine that is busy
LONG = 30  # seconds for what takes less than one, or never ends
PLUGIN = """
{before}
try:
    from irsam_zoo import METHODS, Detector, MethodCard
except ImportError:
    from zoo import METHODS, Detector, MethodCard

@METHODS.register_module("mine")
class Mine(Detector):
    card = MethodCard(title="Mine", fidelity="author-code")

    def score(self, image):
        return {score}
"""


class Trial:
    """A folder of one's own with a small data set, and the program of a checkout run in it."""

    def __init__(self, folder, checkout):
        self.folder, self.program = Path(folder), Path(checkout).resolve() / "run_benchmark.py"
        rng = np.random.default_rng(0)
        for name in ("images", "masks"):
            (self.folder / "set" / name).mkdir(parents=True)
        for number in range(3):
            image, mask = rng.integers(20, 60, (40, 50), dtype=np.uint8), np.zeros((40, 50), np.uint8)
            mask[10:13, 20:23], image[10:13, 20:23] = 255, 250
            for name, pixels in (("images", image), ("masks", mask)):
                Image.fromarray(pixels).save(self.folder / "set" / name / f"im{number}.png")
        (self.folder / "set" / "test.txt").write_text("im0\nim1\nim2\n")
        (self.folder / "set" / "train.txt").write_text("")
        self.marker, self.evil = self.folder / "ran", self.folder / "evil.py"
        self.evil.write_text(f"open({str(self.marker)!r}, 'w')\nmethod = dict(type='top_hat')\n")

    def run(self, *arguments, env=None, patience=PATIENCE):
        """Exit status (None where it had to be ended) and all that it said."""
        command = [sys.executable, str(self.program), *map(str, arguments)]
        env = os.environ | {"OMP_NUM_THREADS": "1"} | (env or {})
        try:
            done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=patience)
        except subprocess.TimeoutExpired:
            return None, ""
        return done.returncode, done.stdout + done.stderr

    def benchmark(self, *more, method="top_hat"):
        return self.run("--methods", method, "--datasets", "set", "--split", "set", "--out", "out", "--jobs", "1", *more)

    def row(self, method="top_hat"):
        (path,) = (self.folder / "out" / "results").glob(f"set/*/{method}.json")
        return path

    def write_row(self, path, **changes):
        """A row like that of Top-Hat with changes and its right checksum."""
        sys.path.insert(0, str(HERE))
        from irsam_zoo.results.checksum import summed

        data = {name: value for name, value in json.loads(self.row().read_text()).items() if name != "sum"} | changes
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(summed(data)))

    def write_plugin(self, score="image - image.mean()", before=""):
        path = self.folder / "plugin.py"
        path.write_text(PLUGIN.format(score=score, before=before))
        return path


def s1_a_row_that_names_a_file_runs_it(trial):
    trial.benchmark()
    code = trial.folder / "out" / "results" / "G" / "rel1" / "evil.py"
    code.parent.mkdir(parents=True)
    code.write_text(trial.evil.read_text())
    trial.write_row(code.with_name("evil.py.json"), dataset="", split="", method=str(code))
    trial.run("report", "--out", trial.folder / "out")
    return trial.marker.exists()


def s2_a_configuration_of_data_runs_a_file(trial):
    (trial.folder / "options.json").write_text(json.dumps({"methods": ["top_hat", "--plugin", str(trial.evil)]}))
    trial.run("--config", "options.json", "--datasets", "set", "--out", "out")
    return trial.marker.exists()


def s3_a_link_among_the_figures_is_embedded(trial):
    trial.benchmark()
    secret = trial.folder / "secret.png"
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(secret)
    figures = trial.folder / "out" / "report" / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    (figures / "roc.png").symlink_to(secret)
    trial.run("report", "--out", "out", "--figures", "none")
    page = trial.folder / "out" / "report" / "index.html"
    return page.exists() and 'alt="roc' in page.read_text()


def s4_a_name_sends_codes_to_the_terminal(trial):
    return "\x1b[2J" in trial.run("--methods", "top_hat", "--datasets", "set", "--split", "set", "--out", "o\x1b[2Jt")[1]


def s5_a_pipe_in_place_of_a_file_is_waited_for(trial):
    os.mkfifo(trial.folder / "pipe")
    return trial.run("convert", "acmnet", "pipe", "x.safetensors", patience=2 * LONG)[0] is None


def s6_a_small_file_takes_minutes(trial):
    levels = "\n".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))
    (trial.folder / "bomb.yaml").write_text(f"methods:\n  - &a0 [x, x, x, x, x, x, x, x, x]\n{levels}\n")
    begin = time.monotonic()
    trial.run("--config", "bomb.yaml", "--datasets", "set", patience=2 * LONG)
    return time.monotonic() - begin > LONG


def r1_records_stay_where_a_module_of_a_plugin_changed(trial):
    lab = trial.folder / "lab"
    lab.mkdir()
    plugin = trial.write_plugin("SCALE * image", f"import sys; sys.path.insert(0, {str(lab)!r})\nfrom of_the_lab import SCALE")
    values = []
    for scale in (1, -1):
        (lab / "of_the_lab.py").write_text(f"SCALE = {scale}\n")
        trial.benchmark("--plugin", plugin, method="mine")
        values.append(json.loads(trial.row("mine").read_text())["metrics"]["exact"]["IoU"])
    return values[0] == values[1]


def r2_a_failed_run_replaces_a_good_row(trial):
    plugin = trial.write_plugin()
    trial.benchmark("--plugin", plugin, method="mine")
    trial.write_plugin("1 / 0")
    trial.benchmark("--plugin", plugin, method="mine")
    return json.loads(trial.row("mine").read_text())["n_images"] == 0


def r3_an_odd_row_ends_the_report(trial):
    trial.benchmark()
    trial.write_row(trial.row().with_name("odd.json"), method="odd", metrics=None)
    return "Traceback" in trial.run("report", "--out", "out", "--figures", "none")[1]


def r6_an_empty_out_writes_into_the_current_folder(trial):
    trial.run("--methods", "top_hat", "--datasets", "set", "--split", "set", "--out", "")
    return (trial.folder / "results").exists()


def u0_a_cut_cache_ends_every_command(trial):
    env = {"XDG_CACHE_HOME": str(trial.folder / "cache")}
    subprocess.run([sys.executable, "-c", "import yapf"], env=os.environ | env, check=True)
    for path in (trial.folder / "cache").rglob("*.pickle"):
        path.write_bytes(b"")
    return trial.run("list", env=env)[0] != 0


def u4_a_table_of_ones_own_set_has_dead_rows(trial):
    trial.benchmark()
    return (trial.folder / "out" / "report" / "table1.md").read_text().count("not run") > 10


def u6_weights_does_not_list_what_ships(trial):
    return "acmnet_sirst3_budget" not in trial.run("weights")[1]


FAULTS = [function for name, function in list(globals().items()) if name[0] in "sru" and name[1:2].isdigit()]


def main(checkout):
    """Try each fault in a folder of its own; gives the names of those that the program has."""
    found = []
    for fault in FAULTS:
        with TemporaryDirectory() as folder:
            has = fault(Trial(folder, checkout))
        print(f"{'fault' if has else 'right'}: {fault.__name__.replace('_', ' ')}", flush=True)
        found += [fault.__name__] * has
    return found


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:] or [HERE]) else 0)
