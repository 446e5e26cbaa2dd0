"""Path patterns: checked, put into a tree, and found for a path, most specific first.

A pattern like "/api/products/<pk>/" is of whole segments, and matches every path below it. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar
from urllib.parse import unquote, urlsplit

T = TypeVar("T")

_PLACEHOLDER = re.compile(r"<[a-z_][a-z0-9_]*>")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")


def segments(target: str) -> list[str] | None:
    """The decoded segments of a request's target; None where its path can be read in more than one way."""
    raw = target.partition("?")[0].partition("#")[0]
    if "://" in raw:
        raw = urlsplit(raw).path
    parts = raw.lstrip("/").rstrip("/").split("/") if raw.strip("/") else []
    decoded = [unquote(part) for part in parts]
    if raw.startswith("//") or raw.endswith("//"):
        return None
    if any(part in ("", ".", "..") or "/" in part or "\\" in part or "\0" in part for part in decoded):
        return None
    return decoded


def shape(pattern: str) -> tuple[str, ...]:
    """The pattern with its placeholders' names taken out: two of the same shape match the same paths.

    Raises ValueError on what is no pattern. "/" alone is of the empty shape and matches everything.
    """
    if not isinstance(pattern, str) or not pattern.startswith("/") or not pattern.endswith("/"):
        raise ValueError(f'the route "{pattern}" must begin and end with "/"')
    return tuple(_part(part, pattern) for part in pattern[1:-1].split("/")) if pattern != "/" else ()


def placeholders(pattern: str) -> list[str]:
    """Those of a pattern, as they stand in it."""
    return _PLACEHOLDER.findall(pattern)


class Patterns(Generic[T]):
    """What stands at which pattern. A literal segment goes before a placeholder, a longer pattern before a shorter."""

    def __init__(self, given: Iterable[tuple[str, T]]) -> None:
        """Raises ValueError as shape() does. Of two patterns of one shape the later counts."""
        self._root: dict[str, Any] = {}
        for pattern, value in given:
            node = self._root
            for part in shape(pattern):
                node = node.setdefault(part, {})
            node["/"] = value  # no segment holds a slash, so this is nobody's child

    def find(self, path: list[str]) -> T | None:
        """What stands at the most specific pattern that the path is under."""
        found: T | None = _find(self._root, path, 0)
        return found

    def all(self, path: list[str]) -> Iterator[T]:
        """What stands at the patterns that the path is under, the most specific last."""
        return _all(self._root, path, 0)


def _part(part: str, pattern: str) -> str:
    if _PLACEHOLDER.fullmatch(part):
        return "<>"
    if _SEGMENT.fullmatch(part) and part not in (".", ".."):
        return part
    raise ValueError(
        f'the route "{pattern}" has the segment "{part}"; use letters, digits, "-", ".", "_", "~" or one <name>'
    )


def _children(node: dict[str, Any], segment: str) -> Iterator[dict[str, Any]]:
    """Literal first. A segment that looks like our own signs is no name of a child."""
    if segment not in ("/", "<>") and (literal := node.get(segment)) is not None:
        yield literal
    if (placeholder := node.get("<>")) is not None:
        yield placeholder


def _find(node: dict[str, Any], path: list[str], depth: int) -> Any:
    if depth < len(path):
        for child in _children(node, path[depth]):
            if (found := _find(child, path, depth + 1)) is not None:
                return found
    return node.get("/")


def _all(node: dict[str, Any], path: list[str], depth: int) -> Iterator[Any]:
    if "/" in node:
        yield node["/"]
    if depth < len(path):
        for child in reversed(list(_children(node, path[depth]))):
            yield from _all(child, path, depth + 1)
