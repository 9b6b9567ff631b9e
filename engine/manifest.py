"""What a result folder says of the run that made it, and how a repetition differs from it."""

import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.runtime.hardware import gpu_name, processor
from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo.reading import MB, read_json, sha256_file

VERSION = 1
MOST = 256 * MB
PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "opencv-python", "mmengine", "mmcv-lite", "segment-anything")


def manifest(config: dict[str, Any], data: Mapping[str, str | None], seconds: float) -> dict[str, Any]:
    """Versions, hardware, code and data behind a result folder.

    Arguments:
        config: The options of the run, JSON-able; of its ``plugins``, the files are hashed.
        data: Fingerprint of the test images by ``<data set>/<split>``.
        seconds: Wall time of the run.
    """
    return {
        "version": VERSION,
        "command": shlex.join(["run_benchmark.py", *sys.argv[1:]]),
        "config": config,
        "data": data,
        "wall_seconds": round(seconds, 3),
        "code": code_commit(),
        "plugins": {path: _sha256(path) for path in config.get("plugins", ())},
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "cuda": gpu_name(),
    }


def read_run(path: str | Path) -> dict[str, Any]:
    """The last run of a ``manifest.json``, as `manifest` gave it.

    Raises:
        UsageError: The file cannot be read, or holds no run of methods that this version knows.
    """
    try:
        runs = read_json(path, MOST)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no manifest of a run: {getattr(error, 'strerror', None) or error}") from None
    runs = [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
    runs = [run for run in runs if isinstance(run.get("config"), dict) and "methods" in run["config"]]
    runs = [run for run in runs if isinstance(run.get("rows", {}), dict)]
    if not runs:
        raise UsageError(f"{path} tells of no run of methods; name a manifest.json that run_benchmark.py wrote")
    if runs[-1].get("version", VERSION) != VERSION:
        raise UsageError(f"{path} is of version {runs[-1]['version']!r}; this program knows {VERSION}")
    return runs[-1]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """One line for each thing in which one run was made in another way than another, or came to something else.

    Arguments:
        before, after (dict): Of `manifest`, with ``rows``.
    """
    for name in ("code", "python", "platform", "processor", "cuda", "packages", "plugins", "data", "rows"):
        old, new = before.get(name), after.get(name)
        if not isinstance(old, dict) or not isinstance(new, dict):
            old, new, places = {name: old}, {name: new}, [name]
        else:
            places = dict.fromkeys([*old, *new])
        for place in places:
            if old.get(place) != new.get(place):
                what = place if place == name else f"{name}, {place}"
                yield f"{what}: {_short(old.get(place))} there, {_short(new.get(place))} here"


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return f"{text[:12]}..." if len(text) > 60 else text


def _sha256(path: str | Path) -> str | None:
    try:
        return sha256_file(path)
    except OSError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
