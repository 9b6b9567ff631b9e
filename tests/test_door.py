"""How the command line is parsed."""

import re
import subprocess
import sys
from dataclasses import fields

import pytest

from irsam_zoo import ROOT, __version__
from irsam_zoo.commands import door
from irsam_zoo.results.options import RunOptions
from irsam_zoo.zoo import UsageError

HEAVY = ("torch", "mmengine", "pandas", "matplotlib", "skimage", "numpy", "cv2", "scipy")
PARSED = f"""
import sys
from irsam_zoo.commands import door
for command in set(door.COMMANDS) - {{"convert"}}:  # whose help names the networks
    try:
        door.main([command, "--help"])
    except SystemExit:
        pass
door.parse(["--all", "--train", "short"])
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_nothing_heavy_is_imported_before_arguments_are_parsed():
    done = subprocess.run([sys.executable, "-c", PARSED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_option_of_a_run_is_an_argument_with_its_default():
    args = door.parse([])
    for field in fields(RunOptions):
        if field.name not in ("methods", "datasets", "plugins"):
            assert getattr(args, field.name) == field.default


def test_a_command_line_without_a_command_is_a_run():
    assert door.parse(["--all"]) == door.parse(["run", "--all"])


@pytest.mark.parametrize("command", ["list", "train"])
def test_errors_name_the_help_of_the_command(command):
    with pytest.raises(UsageError, match=f"see python run_benchmark.py {command} --help"):
        door.parse([command, "--no-such"])


def test_a_configuration_fills_in_what_the_command_line_leaves_out(tmp_path):
    config = tmp_path / "night.py"
    config.write_text("methods = ['ipi', 'nram']\nplugin = 'a.py'\nlimit = 3\nfresh = True\nthreshold = None\n")
    args = door.parse(["--config", str(config), "--limit", "5"])
    assert (args.methods, args.plugin, args.limit, args.fresh, args.threshold) == (["ipi", "nram"], ["a.py"], 5, True, None)


def test_changes_of_a_recipe_are_values():
    args = door.parse(["train", "acmnet", "--dataset", "d", "--recipe", "epochs=20", "optimizer.lr=0.01"])
    assert args.recipe == {"epochs": 20, "optimizer.lr": 0.01}


def test_the_version_tells_what_a_report_of_a_fault_has_to_name(capsys):
    with pytest.raises(SystemExit, match="0"):
        door.main(["--version"])
    told = capsys.readouterr().out
    assert re.fullmatch(rf"irsam-zoo {re.escape(__version__)}(, commit [0-9a-f]{{40}}(-dirty)?)?, torch \S+, on .+\n", told)
