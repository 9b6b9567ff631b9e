"""Dataclasses to plain data that JSON holds, and back, with the wrong key named."""

import dataclasses
import types
import typing
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeGuard, TypeVar, cast

from irsam_zoo.zoo.lookup import unknown

T = TypeVar("T")

NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object", tuple: "a list"}


def is_object(data: Any) -> TypeGuard[dict[str, Any]]:
    """Whether plain data is what JSON calls an object."""
    return isinstance(data, dict)


def is_list(data: Any) -> TypeGuard[list[Any]]:
    """Whether plain data is a list."""
    return isinstance(data, list)


def to_plain(item: Any) -> Any:
    """Dataclasses and named tuples as dicts, tuples as lists, all the way down."""
    if dataclasses.is_dataclass(item):
        return {field.name: to_plain(getattr(item, field.name)) for field in dataclasses.fields(item)}
    if hasattr(item, "_asdict"):
        return to_plain(item._asdict())
    if is_object(item):
        return {key: to_plain(value) for key, value in item.items()}
    return [to_plain(value) for value in cast(Iterable[Any], item)] if isinstance(item, (list, tuple)) else item


def from_plain(cls: type[T], data: Any) -> T:
    """The reverse of `to_plain` for a dataclass or a named tuple, by its annotations. Fields with a default may be absent.

    Raises:
        ValueError: A key is absent, is not known, or holds something else; the text names it.
    """
    if not is_object(data):
        raise ValueError(f"{type(data).__name__} where an object with keys belongs")
    hints = typing.get_type_hints(cls)
    optional = _optional(cls)
    for key in data:
        if key not in hints:
            raise ValueError(unknown("key", key, list(hints)))
    absent = [key for key in hints if key not in data and key not in optional]
    if absent:
        raise ValueError(f"no key {', '.join(map(repr, absent))}")
    return cls(**{key: _value(value, hints[key], key) for key, value in data.items()})


def _optional(cls: Any) -> Iterable[str]:
    if not dataclasses.is_dataclass(cls):
        return cls._field_defaults
    missing = dataclasses.MISSING
    return {f.name for f in dataclasses.fields(cls) if not (f.default is missing and f.default_factory is missing)}


def _value(value: Any, hint: Any, key: str) -> Any:
    """A value as its annotation has it."""
    if isinstance(hint, types.UnionType):
        if value is None and type(None) in hint.__args__:
            return None
        (hint,) = (kind for kind in hint.__args__ if kind is not type(None))
    if typing.is_typeddict(hint):
        hint = dict[str, Any]
    kind = typing.get_origin(hint) or hint
    try:
        if issubclass(kind, Enum):
            return kind(value)
        if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
            return from_plain(cast(type[Any], kind), value)
    except ValueError as error:
        raise ValueError(f"key {key!r}: {error}") from None
    if kind is tuple and is_list(value):
        (inner, _) = hint.__args__
        return tuple(_value(part, inner, key) for part in value)
    fits = isinstance(value, (int, float) if kind is float else kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"key {key!r} holds {value!r:.40} where {NAMES[kind]} belongs")
    return value
