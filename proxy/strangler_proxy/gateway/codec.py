"""Frozen dataclasses as the objects of JSON, by the types of their fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def encode(value: Any) -> Any:
    """What decode() reads. What a field has by default is left out."""
    if dataclasses.is_dataclass(value):
        standard = {field.name: field.default for field in dataclasses.fields(value) if field.init}
        found = {name: getattr(value, name) for name in standard}
        return {name: encode(part) for name, part in found.items() if part != standard[name]}
    if isinstance(value, Mapping):
        return {name: encode(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [encode(part) for part in value]
    return value


def decode(cls: type[T], given: Any, where: str) -> T:
    """The dataclass that "given" describes. Raises ValueError; "where" is how its message calls the place."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is {given!r}; it must be an object")
    kinds = _kinds(cls)
    if unknown := sorted(set(given) - set(kinds)):
        raise ValueError(f'{where} has an unknown part "{unknown[0]}"; it knows {", ".join(kinds)}')
    try:
        return cls(**{name: _value(kinds[name], part, f"{where}, {name}") for name, part in given.items()})
    except TypeError as error:
        raise ValueError(f"{where} lacks a part ({error})") from error


def _kinds(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def _value(kind: Any, given: Any, where: str) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if given is None and type(None) in parts:
            return None
        (kind,) = (part for part in parts if part is not type(None))
        return _value(kind, given, where)
    if origin is tuple and isinstance(given, (list, tuple)):
        return tuple(_value(parts[0], part, where) for part in given)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return decode(kind, given, where)
    if origin is not None and isinstance(given, Mapping) and issubclass(origin, Mapping):
        return {str(name): _value(parts[1], part, f"{where}, {name}") for name, part in given.items()}
    if kind is Any or (kind is float and type(given) is int) or type(given) is kind:
        return given
    raise ValueError(f"{where} is {given!r}; it must be {_called(kind)}")


def _called(kind: Any) -> str:
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, "a list" if typing.get_origin(kind) is tuple else "an object")
