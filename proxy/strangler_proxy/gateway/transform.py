"""What is changed of requests and answers, so that an old client can talk to a new shape. Nothing here is evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")
_PLACE = re.compile(r"(?:\[\]\.)?[^.\[\]]+(?:\[\])?(?:\.[^.\[\]]+(?:\[\])?)*")
_FRAMING = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "content-encoding"}
    | {"host", "via", "traceparent"}
)
_KEPT = ("strangler-", "x-forwarded-", "proxy-")
"""How names begin that only proxies write."""


@dataclass(frozen=True, kw_only=True)
class Fields:
    """Changes of a header or a query, in this order."""

    remove: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    """Old names to new ones; what had the new name before is removed."""
    set: Mapping[str, str] = field(default_factory=dict)
    """In place of what is there."""
    add: Mapping[str, str] = field(default_factory=dict)
    """Beside what is there."""

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.remove, *self.rename, *self.rename.values(), *self.set, *self.add)

    def __bool__(self) -> bool:
        return bool(self.names)


@dataclass(frozen=True, kw_only=True)
class Body:
    """Changes of a JSON body, in this order.

    A place is like "author.name", or in each item of a list "results[].id", or "[].id" where the list is all there is.
    """

    remove: tuple[str, ...] = ()
    move: Mapping[str, str] = field(default_factory=dict)
    """Old places to new ones; in the same item of the same lists."""
    default: Mapping[str, Any] = field(default_factory=dict)
    """Where nothing is."""
    set: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in (*self.remove, *self.move, *self.move.values(), *self.default, *self.set):
            if not _PLACE.fullmatch(place):
                raise ValueError(
                    f'a transformation names "{place}", which is no place; write "author.name" or "results[].id"'
                )
        for place in (*self.remove, *self.move, *self.move.values()):
            if place.endswith("[]"):
                raise ValueError(f'a transformation removes or moves "{place}"; name what is in the items, or the list')
        for old, new in self.move.items():
            if _lists(old) != _lists(new):
                raise ValueError(
                    f'a transformation moves "{old}" to "{new}", which is not in the same item of the same lists'
                )

    def __bool__(self) -> bool:
        return bool(self.remove or self.move or self.default or self.set)


@dataclass(frozen=True, kw_only=True)
class Message:
    """Changes of a request, or of an answer; of the JSON bodies of successful answers alone."""

    headers: Fields = field(default_factory=Fields)
    json: Body = field(default_factory=Body)

    def __post_init__(self) -> None:
        for name in self.headers.names:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f'a transformation names "{name}", which cannot be the name of a header')
            small = name.lower().replace("_", "-")
            if small in _FRAMING or small.startswith(_KEPT):
                raise ValueError(f'a transformation changes the header "{name}", which is the proxy\'s to write')
        for value in (*self.headers.set.values(), *self.headers.add.values()):
            if not _VALUE.fullmatch(value):
                raise ValueError(f"a transformation gives a header the value {value!r}; use printable ASCII")

    def __bool__(self) -> bool:
        return bool(self.headers) or bool(self.json)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What becomes of requests and answers. Raises ValueError."""

    path: str = ""
    """In place of the policy's own path, with its placeholders; what follows in the request's path stays."""
    query: Fields = field(default_factory=Fields)
    request: Message = field(default_factory=Message)
    response: Message = field(default_factory=Message)


def _lists(place: str) -> str:
    """The part of a place that is before its last list's items."""
    return place[: place.rfind("[]") + 2] if "[]" in place else ""
