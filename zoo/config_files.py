"""Configuration files: Python, which runs, and YAML or JSON, which are data and run nothing."""

from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from irsam_zoo.zoo.foreign_code import contained
from irsam_zoo.zoo.reading import MB, parse_json, read_bytes

MOST, MOST_VALUES = MB // 10, 10_000  # bytes and values of a configuration of data
OF_PYTHON_ALONE = ("_base_", "custom_imports")


def read_config(path: str | Path) -> dict[str, Any]:
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
    data = read_bytes(path, MOST)
    entries = parse_json(data) if path.suffix == ".json" else _parse_yaml(data.decode("utf-8"))
    if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
        raise ValueError("no names with values")
    for name in OF_PYTHON_ALONE:
        if name in entries:
            raise ValueError(f"{name} imports code, which a {path.suffix} file does not; write it as Python")
    return entries


def _parse_yaml(text: str) -> Any:
    """Plain data of YAML. What its anchors come to is counted first: some hundred bytes of them may stand for gigabytes."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    except RecursionError:
        raise ValueError("nested too deep") from None
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node stands for, wherever it is repeated; ValueError where they are too many, or without an end."""
    if id(node) in known:
        if (number := known[id(node)]) is None:
            raise ValueError("an anchor within itself")
        return number
    known[id(node)] = None
    children = node.value if isinstance(node, yaml.CollectionNode) else ()
    number = 1 + sum(_count(part, known) for child in children for part in (child if isinstance(child, tuple) else (child,)))
    if number > MOST_VALUES:
        raise ValueError(f"its anchors come to more than {MOST_VALUES} values")
    known[id(node)] = number
    return number
