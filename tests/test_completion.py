"""The script by which a shell completes the command line."""

import shutil
import subprocess

import pytest

from irsam_zoo.commands import door

TYPED = """
source /dev/stdin
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shtab_irsam_zoo 2> /dev/null  # compopt: no completion is under way
echo "${COMPREPLY[*]}"
"""


@pytest.fixture
def script(capsys):
    """The script for bash."""
    assert door.main(["completion", "bash"]) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tra", "train"),
        ("--methods top_", "top_hat"),
        ("train dna", "dnanet"),
        ("train dnanet --dataset nuaa", "nuaa-sirst"),
        ("--device c", "cpu cuda"),
        ("report --comp", "--compare"),
        ("completion z", "zsh"),
    ],
)
def test_bash_completes_commands_options_and_names(script, line, words):
    done = subprocess.run(
        ["bash", "-c", TYPED, "bash", "irsam-zoo", *line.split()], input=script, capture_output=True, text=True
    )
    assert done.stdout.split() == words.split()


def test_another_shell_is_refused(capsys):
    assert door.main(["completion", "dos"]) == 2
    assert "choose from" in capsys.readouterr().err
