"""How the command line is parsed."""

import subprocess
import sys
from dataclasses import fields

import pytest

import run_benchmark
from irsam_zoo.engine.options import RunOptions
from irsam_zoo.zoo import UsageError

ROOT = run_benchmark.__file__.removesuffix("run_benchmark.py")
HEAVY = ("torch", "mmengine", "pandas", "matplotlib", "skimage", "numpy", "cv2", "scipy")
PARSED = f"""
import sys, run_benchmark
for command in set(run_benchmark.COMMANDS) - {{"convert"}}:  # whose help names the networks
    try:
        run_benchmark.main([command, "--help"])
    except SystemExit:
        pass
run_benchmark.parse(["--all", "--train", "short"])
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_nothing_heavy_is_imported_before_arguments_are_parsed():
    done = subprocess.run([sys.executable, "-c", PARSED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_option_of_a_run_is_an_argument_with_its_default():
    args = run_benchmark.parse([])
    for field in fields(RunOptions):
        if field.name not in ("methods", "datasets", "plugins"):
            assert getattr(args, field.name) == field.default


def test_a_command_line_without_a_command_is_a_run():
    assert run_benchmark.parse(["--all"]) == run_benchmark.parse(["run", "--all"])


@pytest.mark.parametrize("command", ["list", "train"])
def test_errors_name_the_help_of_the_command(command):
    with pytest.raises(UsageError, match=f"see run_benchmark.py {command} --help"):
        run_benchmark.parse([command, "--no-such"])


def test_a_configuration_fills_in_what_the_command_line_leaves_out(tmp_path):
    config = tmp_path / "night.py"
    config.write_text("methods = ['ipi', 'nram']\nplugin = 'a.py'\nlimit = 3\nfresh = True\nthreshold = None\n")
    args = run_benchmark.parse(["--config", str(config), "--limit", "5"])
    assert (args.methods, args.plugin, args.limit, args.fresh, args.threshold) == (["ipi", "nram"], ["a.py"], 5, True, None)


def test_changes_of_a_recipe_are_values():
    args = run_benchmark.parse(["train", "acmnet", "--dataset", "d", "--recipe", "epochs=20", "optimizer.lr=0.01"])
    assert args.recipe == {"epochs": 20, "optimizer.lr": 0.01}
