"""Configuration files: Python, which runs, and YAML or JSON, which are data and run nothing."""

import json
from pathlib import Path

import yaml
from mmengine.config import Config

from zoo.contained import contained

OF_PYTHON_ALONE = ("_base_", "custom_imports")


def read_config(path):
    """The entries of a configuration file as a dict.

    mmengine reads YAML with tags that call any function, and imports what ``custom_imports`` and ``_base_`` name; here that is
    left to Python files.

    Arguments:
        path: A ``.py``, ``.yaml``, ``.yml`` or ``.json`` file.

    Raises:
        ValueError: It holds no names with values, or one of `OF_PYTHON_ALONE` where it is not Python.
        Exception: Of any other type: a Python file fails with any.
    """
    path = Path(path)
    if path.suffix == ".py":
        with contained():
            return Config.fromfile(path).to_dict()
    text = path.read_text(encoding="utf-8")
    entries = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
        raise ValueError("no names with values")
    for name in OF_PYTHON_ALONE:
        if name in entries:
            raise ValueError(f"{name} imports code, which a {path.suffix} file does not; write it as Python")
    return entries
