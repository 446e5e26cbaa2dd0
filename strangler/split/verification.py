"""Are both sides equal? Checksums on both at once, then key by key where they differ.

The checksums are of key ranges where both sides order the keys alike. Elsewhere (text under different collations,
different engines) each side is read once, and its rows' digests are summed up in a fixed number of buckets by
their keys; then once more, for the buckets that differ.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias
from zlib import crc32

from strangler.split import exchange
from strangler.split.layout import Pair
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import EVERYTHING, Family, Key, KeyRange, Table

RANGE = 50_000
"""Keys in a range: a long one is read again where a row differs, a short one costs round trips."""
DRILL = (5_000, 500)
"""Keys in the ranges into which one that differs is cut, again and again, before rows are read one by one."""
BUCKETS = 4_096
"""Sums of digests that are kept of a side, however long the table."""
AT_ONCE = 200_000
"""Keys of differing buckets that are looked at together, about."""
_ROWS = 10_000
"""Rows that are read whole and held against each other together."""
_ORDERED_ALIKE = {
    Family.BOOLEAN,
    Family.INTEGER,
    Family.DECIMAL,
    Family.BYTES,
    Family.UUID,
    Family.DATE,
    Family.TIME,
    Family.TIMESTAMP,
}
_Row: TypeAlias = tuple[str | None, ...]
_Two: TypeAlias = tuple[_Row | None, _Row | None]
_Digests: TypeAlias = Iterator[tuple[Key, int]]
_Sums: TypeAlias = "tuple[int, array[int]]"
_MASK = 2**64 - 1
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
    orphans: tuple[str, ...] = ()
    """Foreign keys that rows of the target violate, or that tie rows that move to rows that stay, a sentence each."""

    @property
    def equal(self) -> bool:
        """Whether the rows are equal, and violate no foreign key."""
        return not self.faults

    @property
    def faults(self) -> int:
        return len(self.differences) + len(self.orphans)

    def __str__(self) -> str:
        if self.equal:
            return f"{self.rows:,} rows are equal on both sides"
        return "; ".join(filter(None, (self._differing(), *self.orphans)))

    def _differing(self) -> str:
        if not self.differences:
            return ""
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
            if not _ordered_alike(source, target, pair):
                sums = _sums(both, source, target, pair)
                rows += sums[0][0]
                for suspects in _suspects_in_buckets(both, source, target, pair, sums):
                    differences += settle(source, target, pair, suspects, catch_up)
                continue
            suspects = []
            for keys in _ranges(source, pair, EVERYTHING, RANGE):
                count, equal = _compare(both, source, target, pair, keys)
                rows += count
                if not equal:
                    suspects += _suspects(both, source, target, pair, keys)
            differences += settle(source, target, pair, suspects, catch_up)
    return Verification(rows=rows, differences=tuple(differences))


def verify_keys(source: Store, target: Store, pairs: Iterable[Pair], keys: dict[str, list[Key]]) -> Verification:
    """Compare the rows of some keys, now, when nothing is on its way. This is a read-only operation.

    Where only some rows of a table move, these rows' ties to rows that stay are looked for, too.
    """
    pairs = tuple(pairs)
    differences: list[Difference] = []
    for pair in pairs:
        found = _differing_rows(source, target, pair, keys.get(pair.name, []))
        differences += [_difference(pair, key, two) for key, two in found.items()]
    return Verification(
        rows=sum(map(len, keys.values())),
        differences=tuple(differences),
        orphans=tuple(_ties(source, target, pairs, keys)),
    )


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


def _suspects(
    both: Executor, source: Store, target: Store, pair: Pair, within: KeyRange, *, sizes: tuple[int, ...] = DRILL
) -> list[Key]:
    """The keys that differ in a range that does: by smaller ranges first, so that few rows are read one by one."""
    if not sizes:
        return _differing(source, target, pair, within)
    return [
        key
        for keys in _ranges(source, pair, within, sizes[0])
        if not _compare(both, source, target, pair, keys)[1]
        for key in _suspects(both, source, target, pair, keys, sizes=sizes[1:])
    ]


def _ordered_alike(source: Store, target: Store, pair: Pair) -> bool:
    families = {column.family for column in pair.source.key}
    return not exchange.by_value(source, target) and families <= _ORDERED_ALIKE


def _sums(both: Executor, source: Store, target: Store, pair: Pair) -> tuple[_Sums, _Sums]:
    """(rows, XOR of their digests by bucket) of each side, both at once."""
    halves = [both.submit(_summed, rows) for rows in _digests(source, target, pair)]
    mine, theirs = (half.result() for half in halves)
    return mine, theirs


def _suspects_in_buckets(
    both: Executor, source: Store, target: Store, pair: Pair, sums: tuple[_Sums, _Sums]
) -> Iterator[list[Key]]:
    """The keys that differ, some buckets at a time, so that memory stays flat."""
    (mine, left), (theirs, right) = sums
    differing = [bucket for bucket in range(BUCKETS) if left[bucket] != right[bucket]]
    together = max(1, AT_ONCE * BUCKETS // max(mine, theirs, 1))
    for first in range(0, len(differing), together):
        chosen = set(differing[first : first + together])
        halves = [both.submit(_chosen, rows, chosen) for rows in _digests(source, target, pair)]
        one, other = (half.result() for half in halves)
        yield [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]


def _digests(source: Store, target: Store, pair: Pair) -> tuple[_Digests, _Digests]:
    if exchange.by_value(source, target):
        return exchange.digests(source, pair.source), exchange.digests(target, pair.target)
    return source.digests(pair.source, EVERYTHING), target.digests(pair.target, EVERYTHING)


def _summed(rows: _Digests) -> _Sums:
    count, sums = 0, array("Q", bytes(8 * BUCKETS))
    for key, digest in rows:
        count += 1
        sums[_bucket(key)] ^= digest & _MASK
    return count, sums


def _chosen(rows: _Digests, buckets: Collection[int]) -> dict[Key, int]:
    return {key: digest for key, digest in rows if _bucket(key) in buckets}


def _bucket(key: Key) -> int:
    return crc32("\0".join(key).encode(errors="surrogatepass")) % BUCKETS


def _differing(source: Store, target: Store, pair: Pair, keys: KeyRange) -> list[Key]:
    mine, theirs = dict(source.digests(pair.source, keys)), dict(target.digests(pair.target, keys))
    return [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]


def _differing_rows(source: Store, target: Store, pair: Pair, keys: list[Key]) -> dict[Key, _Two]:
    read = exchange.texts if exchange.by_value(source, target) else _texts
    found: dict[Key, _Two] = {}
    for begin in range(0, len(keys), _ROWS):
        some = tuple(keys[begin : begin + _ROWS])
        mine, theirs = read(source, pair.source, some), read(target, pair.target, some)
        found |= {
            key: (mine.get(key), theirs.get(key))
            for key in sorted(mine.keys() | theirs.keys())
            if mine.get(key) != theirs.get(key)
        }
    return found


def _ties(source: Store, target: Store, pairs: tuple[Pair, ...], keys: dict[str, list[Key]]) -> Iterator[str]:
    moved = [pair for pair in pairs if pair.moved]
    for side, store in ((Side.SOURCE, source), (Side.TARGET, target)):
        for sentence in store.straddling([pair.of(side) for pair in moved], keys):
            yield f"in the {side} database {sentence}"


def _texts(store: Store, table: Table, keys: tuple[Key, ...]) -> dict[Key, _Row]:
    return store.texts(table, keys)


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
