"""JSON values as a transformation's places say: pure. What is not there is left alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from strangler_proxy.gateway.transform import Body

_NOTHING = object()
Parent = dict[str, Any]


def reshaped(value: Any, body: Body) -> Any:
    """The value, changed in place."""
    for place in body.remove:
        for parent, name in _at(value, place):
            parent.pop(name, None)
    for old, new in body.move.items():
        prefix = _prefix(old)
        for item in _items(value, prefix):
            _move(item, old[len(prefix) :].lstrip("."), new[len(prefix) :].lstrip("."))
    for place, default in body.default.items():
        _put(value, place, default, lambda parent, name: name not in parent)
    for place, given in body.set.items():
        _put(value, place, given, lambda parent, name: True)
    return value


def _move(item: Any, old: str, new: str) -> None:
    for parent, name in list(_at(item, old)):
        found = parent.pop(name, _NOTHING)
        if found is not _NOTHING:
            for target, last in _at(item, new, create=True):
                target[last] = found


def _put(value: Any, place: str, given: Any, where: Callable[[Parent, str], bool]) -> None:
    for parent, name in _at(value, place, create=True):
        if where(parent, name):
            parent[name] = copy.deepcopy(given)


def _prefix(place: str) -> str:
    return place[: place.rfind("[]") + 2] if "[]" in place else ""


def _items(value: Any, prefix: str) -> Iterator[Any]:
    """The items of the innermost list of a prefix like "results[].authors[]"; the value itself where that is empty."""
    if not prefix:
        yield value
        return
    if prefix == "[]":
        yield from value if isinstance(value, list) else ()
        return
    for parent, name in list(_at(value, prefix[:-2])):
        found = parent.get(name)
        yield from found if isinstance(found, list) else ()


def _at(value: Any, place: str, *, create: bool = False) -> Iterator[tuple[Parent, str]]:
    """(object, name of its member) for each way to the place; with "create" objects on the way are made."""
    first, _, rest = place.partition(".")
    if first.endswith("[]"):
        for item in list(_items(value, first)):
            yield from _at(item, rest, create=create)
    elif isinstance(value, dict):
        if not rest:
            yield value, first
            return
        if create:
            value.setdefault(first, {})
        yield from _at(value.get(first), rest, create=create)
