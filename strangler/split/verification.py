"""Are both sides equal? Checksums by key range on both at once, then key by key where they differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from strangler.split.layout import Pair
from strangler.split.store import Store
from strangler.split.table import EVERYTHING, Key, KeyRange

RANGE = 200_000
"""Keys in a range: a long one is a long statement, a short one costs round trips."""
DRILL = 4_000
"""Keys in the ranges into which one that differs is cut."""
_Row: TypeAlias = tuple[str | None, ...]
_Two: TypeAlias = tuple[_Row | None, _Row | None]
_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row that is not the same on both sides."""

    table: str
    key: Key
    what: str

    def __str__(self) -> str:
        return f"{self.table} {', '.join(self.key)}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome of a comparison; a value, also where the data differs."""

    rows: int
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        if self.equal:
            return f"{self.rows:,} rows are equal on both sides"
        shown = "; ".join(map(str, self.differences[:5]))
        more = f"; and {len(self.differences) - 5:,} more" if len(self.differences) > 5 else ""
        return f"{len(self.differences):,} of {self.rows:,} rows differ: {shown}{more}"


def verify(source: Store, target: Store, pairs: Iterable[Pair], catch_up: Callable[[], None]) -> Verification:
    """Compare whole tables while writes go on. Changes no row.

    "catch_up" applies all that is in the logs; a key that differs is compared again after it, so that one
    on its way is not taken for a difference.
    """
    rows = 0
    differences: list[Difference] = []
    with ThreadPoolExecutor(max_workers=2) as both:
        for pair in pairs:
            suspects: list[Key] = []
            for keys in _ranges(source, pair, EVERYTHING, RANGE):
                count, equal = _compare(both, source, target, pair, keys)
                rows += count
                if not equal:
                    suspects += _suspects(both, source, target, pair, keys)
            differences += settle(source, target, pair, suspects, catch_up)
    return Verification(rows=rows, differences=tuple(differences))


def verify_keys(source: Store, target: Store, pairs: Iterable[Pair], keys: dict[str, list[Key]]) -> Verification:
    """Compare the rows of some keys, now, when nothing is on its way. This is a read-only operation."""
    differences: list[Difference] = []
    for pair in pairs:
        found = _differing_rows(source, target, pair, keys.get(pair.name, []))
        differences += [_difference(pair, key, two) for key, two in found.items()]
    return Verification(rows=sum(map(len, keys.values())), differences=tuple(differences))


def settle(
    source: Store, target: Store, pair: Pair, suspects: list[Key], catch_up: Callable[[], None]
) -> list[Difference]:
    """The suspects that differ for good: the same two rows again after everything in the logs was applied."""
    definite: list[Difference] = []
    seen: dict[Key, _Two] = {}
    for attempt in range(_ROUNDS):
        if not suspects:
            break
        time.sleep(0.01 * attempt)
        catch_up()
        found = _differing_rows(source, target, pair, suspects)
        last = attempt == _ROUNDS - 1
        definite += [_difference(pair, key, two) for key, two in found.items() if last or seen.get(key) == two]
        seen = {key: two for key, two in found.items() if seen.get(key) != two}
        suspects = list(seen)
    return definite


def _ranges(source: Store, pair: Pair, within: KeyRange, size: int) -> Iterator[KeyRange]:
    after = within.after
    while True:
        upto = source.range_end(pair.source, KeyRange(after=after, upto=within.upto), size)
        yield KeyRange(after=after, upto=within.upto if upto is None else upto)
        if upto is None:
            return
        after = upto


def _compare(both: Executor, source: Store, target: Store, pair: Pair, keys: KeyRange) -> tuple[int, bool]:
    """(rows of the source, whether the checksums are equal), both sides at once."""
    halves = (both.submit(source.checksum, pair.source, keys), both.submit(target.checksum, pair.target, keys))
    mine, theirs = (half.result() for half in halves)
    return mine[0], mine == theirs


def _suspects(both: Executor, source: Store, target: Store, pair: Pair, within: KeyRange) -> list[Key]:
    """The keys that differ in a range that does: by smaller ranges first, so that few rows are read one by one."""
    return [
        key
        for keys in _ranges(source, pair, within, DRILL)
        if not _compare(both, source, target, pair, keys)[1]
        for key in _differing(source, target, pair, keys)
    ]


def _differing(source: Store, target: Store, pair: Pair, keys: KeyRange) -> list[Key]:
    mine, theirs = dict(source.digests(pair.source, keys)), dict(target.digests(pair.target, keys))
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]


def _differing_rows(source: Store, target: Store, pair: Pair, keys: list[Key]) -> dict[Key, _Two]:
    if not keys:
        return {}
    mine, theirs = source.texts(pair.source, tuple(keys)), target.texts(pair.target, tuple(keys))
    return {
        key: (mine.get(key), theirs.get(key))
        for key in sorted(mine.keys() | theirs.keys())
        if mine.get(key) != theirs.get(key)
    }


def _difference(pair: Pair, key: Key, two: _Two) -> Difference:
    mine, theirs = two
    if theirs is None:
        what = "missing at the target"
    elif mine is None:
        what = "only at the target"
    else:
        columns = zip(pair.source.columns, mine, theirs, strict=True)
        what = f"differs in {', '.join(column.name for column, left, right in columns if left != right)}"
    return Difference(table=pair.source.relation, key=key, what=what)
