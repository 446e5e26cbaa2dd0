"""Values out of files that anybody may have written: of the right kind, or ValueError."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 10_000
_MOST = 10**15


def parsed(line: str) -> dict[str, Any]:
    """A line of JSON as a dictionary."""
    try:
        found = json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return dictionary(found)


def dictionary(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a part of it is no dictionary")
    return value


def sequence(value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise ValueError("a part of it is no list, or too short or too long a one")
    return value


def count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MOST:
        raise ValueError("a number in it is none")
    return value


def text(value: Any) -> str:
    """Without what could move a terminal's cursor."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError("a text in it is none, or too long")
    return value if value.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in value)


def texts(value: Any) -> dict[str, str]:
    return {text(key): text(found) for key, found in dictionary(value).items()}
