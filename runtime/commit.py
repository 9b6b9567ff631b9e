"""The commit of the code that runs."""

import subprocess

from irsam_zoo import ROOT

COMMIT = "COMMIT"  # the file of a packed folder that says which commit its code is of


def code_commit() -> str | None:
    """This project's commit, with ``-dirty`` where files differ from it; None outside a repository."""
    if (ROOT / COMMIT).is_file():
        return (ROOT / COMMIT).read_text(encoding="utf-8") or None
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
