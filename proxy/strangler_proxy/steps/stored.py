"""What is kept of answers: entries by their keys, bounded by bytes, and purged by route, tag or side."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from strangler_proxy.forwarding import Fields
from strangler_proxy.patterns import Patterns, segments
from strangler_proxy.steps.visit import Side

LARGEST = 1 << 20
"""Bytes of the largest body that is kept."""
VARIANTS = 32
"""Entries of one key, which Vary tells apart."""
_OVERHEAD = 1_000
"""Bytes that an entry costs beside its body and header, about."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """What two requests have in common that one entry may answer, beside what Vary says."""

    side: Side
    """A canary's two sides, and each version of a move, have entries of their own."""
    host: str
    target: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """An answer to a GET, as its upstream gave it, without what speaks of one connection."""

    status: int
    fields: Fields
    body: bytes
    vary: tuple[tuple[str, str], ...]
    """The request's values of the fields in Vary."""
    began: int
    """Nanoseconds: when the request for it was sent, which is before it was read anywhere."""
    age: float
    """Seconds: how old it was then, at least."""
    lifetime: float
    stale_while_revalidate: float
    stale_if_error: float
    tags: frozenset[str]

    @property
    def size(self) -> int:
        return _OVERHEAD + len(self.body) + sum(len(name) + len(value) for name, value in self.fields)

    def age_at(self, now: int) -> float:
        """Seconds."""
        return self.age + (now - self.began) / 1e9

    def left(self, now: int) -> float:
        """Seconds for which it is fresh; negative for those since it was."""
        return self.lifetime - self.age_at(now)

    def matches(self, value_of: Callable[[str], str]) -> bool:
        """Whether it is for a request with these fields."""
        return all(value_of(name) == value for name, value in self.vary)


@dataclass(kw_only=True)
class Store:
    """Entries in memory; the keys used longest ago go first."""

    most: int
    """Bytes."""
    size: int = 0
    _entries: OrderedDict[Key, tuple[Entry, ...]] = field(default_factory=OrderedDict)
    _at: defaultdict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def find(self, key: Key) -> tuple[Entry, ...]:
        """The key's entries, the newest first."""
        found = self._entries.get(key, ())
        if found:
            self._entries.move_to_end(key)
        return found

    def put(self, key: Key, entry: Entry) -> None:
        """Keep it in place of those that are for the same requests."""
        others = tuple(other for other in self.find(key) if other.vary != entry.vary)
        self._set(key, (entry, *others)[:VARIANTS])
        while self.size > self.most and self._entries:
            self._set(next(iter(self._entries)), ())

    @property
    def sides(self) -> set[Side]:
        """Whose answers there are."""
        return {key.side for key in self._entries}

    def drop(self, which: Callable[[Key, Entry], bool]) -> int:
        """Forget entries; how many."""
        before = len(self)
        for key, entries in list(self._entries.items()):
            self._set(key, tuple(entry for entry in entries if not which(key, entry)))
        return before - len(self)

    def drop_targets(self, targets: Iterable[str]) -> None:
        """Forget all entries at these targets, of every side."""
        for target in targets:
            for key in list(self._at.get(target, ())):
                self._set(key, ())

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._entries.values())

    def _set(self, key: Key, entries: tuple[Entry, ...]) -> None:
        self.size -= sum(entry.size for entry in self._entries.pop(key, ()))
        if entries:
            self._entries[key] = entries
            self._at[key.target].add(key)
            self.size += sum(entry.size for entry in entries)
            return
        self._at[key.target].discard(key)
        if not self._at[key.target]:
            del self._at[key.target]


def below(pattern: str) -> Callable[[str], bool]:
    """Whether a target is under a route. Raises ValueError on what is no route."""
    tree = Patterns([(pattern, True)])

    def found(target: str) -> bool:
        parts = segments(target)
        return parts is not None and tree.find(parts) is not None

    return found
