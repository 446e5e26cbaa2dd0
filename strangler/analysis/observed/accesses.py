"""Which tables a shape reads, writes and locks. Where it cannot be parsed, names behind FROM and the like count."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from strangler.analysis.rules.statements import tables

_WRITES = re.compile(
    r"\b(?:insert\s+into|^\s*update|delete\s+from|merge\s+into|replace\s+into|truncate(?:\s+table)?)"
    r"\s+(?:only\s+)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """Tables, in small letters."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    locks: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.reads | self.writes | self.locks


@functools.lru_cache(maxsize=50_000)
def access(text: str, vendor: str) -> Access:
    """What a shape does, in the language of its database by Django's name."""
    if " " not in text:
        return Access()  # a verb alone
    from strangler.analysis.observed.parsed import parsed  # noqa: PLC0415 - takes longer than a map that is kept

    try:
        found = parsed(text, vendor)
    except Exception:  # a parser at a text that anybody may have written, or that was cut
        written = frozenset(name.lower() for name in _WRITES.findall(text))
        return Access(reads=tables(text) - written, writes=written)
    return Access(
        reads=frozenset().union(*(one.reads for one in found)),
        writes=frozenset().union(*(one.writes for one in found)),
        locks=frozenset().union(*(one.locks for one in found)),
    )
