"""A fingerprint of what a plan file says, so that an edit of what is applied is noticed.

It is taken over the operations' values, not over the file's text: comments and layout may change, and so may the
toolkit, since a field that has its default is left out (so a default must stay as it is). A function counts by its
source text if it is written in the plan file, and by its name if it is imported; what it calls in turn does not count.
A lambda has neither, and is refused.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from operator import attrgetter
from pathlib import PurePath
from typing import Any
from uuid import UUID

from strangler.plans.errors import PlanError

_PLAIN = (date, time, timedelta, Decimal, UUID, PurePath, complex, bytes)


def fingerprint(service: str, operations: Sequence[object]) -> str:
    """16 hexadecimal digits for these operations of a plan.

    Raises PlanError where an operation holds a value that cannot be told from another one.
    """
    try:
        text = json.dumps([service, *map(_canonical, operations)], separators=(",", ":"))
    except RecursionError:
        raise PlanError("a value that contains itself has no fingerprint; use plain values") from None
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(value: Any) -> object:  # noqa: PLR0911
    """The value in terms of JSON; equal only for equal values."""
    match value:
        case enum.Enum():
            return ["enum", type(value).__qualname__, value.name]
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return ["map", *sorted(([_canonical(key), _canonical(item)] for key, item in value.items()), key=repr)]
        case Set():
            return ["set", *sorted(map(_canonical, value), key=repr)]
        case list() | tuple():
            return ["list", *map(_canonical, value)]
        case functools.partial():
            return ["partial", *map(_canonical, (value.func, value.args, value.keywords))]
    if isinstance(value, _PLAIN):
        return [type(value).__name__, str(value)]
    if is_dataclass(value) and not isinstance(value, type):
        given = {field.name: _canonical(getattr(value, field.name)) for field in fields(value) if _given(value, field)}
        return [type(value).__qualname__, given]
    if callable(value) and hasattr(value, "__qualname__"):
        return _function(value)
    raise PlanError(f"{value!r} has no fingerprint; use a frozen dataclass of plain values, or a function")


def _given(value: object, field: Field[Any]) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return bool(getattr(value, field.name) != default)


def _function(function: Callable[..., object]) -> object:
    name, module = function.__qualname__, getattr(function, "__module__", None) or ""
    try:
        imported = attrgetter(name)(sys.modules[module]) is function
    except (KeyError, AttributeError):
        imported = False
    if imported:
        return ["name", f"{module}.{name}"]
    if name.endswith("<lambda>"):
        raise PlanError("a lambda has no fingerprint; write the function with def and a name")
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    except (OSError, TypeError, ValueError) as error:
        raise PlanError(f'the source of function "{name}" cannot be read; write it in the plan file') from error
    return ["source", "\n".join(line.rstrip() for line in lines), *map(_canonical, cells)]
