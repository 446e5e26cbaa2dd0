"""How two route patterns lie to each other. A pattern is a prefix of whole segments; "<name>" is any one segment."""

from __future__ import annotations

import enum
import re

_PATTERN = re.compile(r"/(?:(?:<[a-z_][a-z0-9_]*>|[A-Za-z0-9._~-]+)/)+")


class Relation(enum.Enum):
    """What one pattern is to another."""

    APART = enum.auto()  # no path is under both
    SAME = enum.auto()  # exactly the same paths, placeholders named alike or not
    INSIDE = enum.auto()  # every path of the first is under the second
    AROUND = enum.auto()  # every path of the second is under the first
    CROSSING = enum.auto()  # some paths are under both, and neither is more specific


def check_pattern(pattern: str) -> None:
    """Raises ValueError where the pattern is not "/segment/<placeholder>/…/"."""
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f'route "{pattern}" is no pattern; write whole segments, as in "/api/products/<pk>/reviews/"')


def relate(first: str, second: str) -> Relation:
    """Compare two well-formed patterns."""
    one, two = _segments(first), _segments(second)
    pairs = list(zip(one, two, strict=False))
    if any(a and b and a != b for a, b in pairs):
        return Relation.APART
    inside = len(one) >= len(two) and all(b is None or a == b for a, b in pairs)
    around = len(two) >= len(one) and all(a is None or a == b for a, b in pairs)
    if inside and around:
        return Relation.SAME
    if inside:
        return Relation.INSIDE
    return Relation.AROUND if around else Relation.CROSSING


def _segments(pattern: str) -> list[str | None]:
    return [None if part.startswith("<") else part for part in pattern.strip("/").split("/")]
