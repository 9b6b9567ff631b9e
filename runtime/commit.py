"""The commit of the code that runs."""

import json
import subprocess
from importlib.metadata import PackageNotFoundError, distribution

from irsam_zoo import IN_CHECKOUT, ROOT

COMMIT = "COMMIT"  # the file of a packed folder that says which commit its code is of


def code_commit() -> str | None:
    """This project's commit, with ``-dirty`` where files differ from it; None where it is of no repository."""
    if (ROOT / COMMIT).is_file():
        return (ROOT / COMMIT).read_text(encoding="utf-8") or None
    if not IN_CHECKOUT:  # whatever repository lies around the place of the installation
        return _installed_commit()
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _installed_commit() -> str | None:
    """The commit that pip installed from a repository; None of a package from elsewhere."""
    try:
        origin = json.loads(distribution("irsam-zoo").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None
    return origin.get("vcs_info", {}).get("commit_id")
