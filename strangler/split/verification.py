"""Are both sides equal? Checksums by key range on both at once, then key by key where they differ."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql

from strangler.split.copying import key_condition, range_end
from strangler.split.database import Connection, Table

_Key: TypeAlias = tuple[str, ...]
_Row: TypeAlias = tuple[str | None, ...]
_Pair: TypeAlias = tuple[_Row | None, _Row | None]
_ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row that is not the same on both sides."""

    table: str
    key: tuple[str, ...]
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


def verify(
    source: Connection, target: Connection, tables: Iterable[Table], catch_up: Callable[[], None]
) -> Verification:
    """Compare whole tables while writes go on. Changes no row.

    "catch_up" applies all that is in the logs; a key that differs is compared again after it, so that one
    on its way is not taken for a difference.
    """
    rows = 0
    differences: list[Difference] = []
    with ThreadPoolExecutor(max_workers=2) as both:
        for table in tables:
            suspects: list[list[object]] = []
            for condition in _ranges(source, table):
                (count, checksum), theirs = both.map(
                    _checksum, (source, target), (table, table), (condition, condition)
                )
                rows += count
                if (count, checksum) != theirs:
                    suspects += _differing(source, target, table, condition)
            differences += _settle(source, target, table, suspects, catch_up)
    return Verification(rows=rows, differences=tuple(differences))


def verify_keys(
    source: Connection, target: Connection, tables: Iterable[Table], keys: dict[str, list[list[object]]]
) -> Verification:
    """Compare the rows of some keys, now, when nothing is on its way. This is a read-only operation."""
    rows = 0
    differences: list[Difference] = []
    for table in tables:
        wanted = keys.get(table.relation, [])
        rows += len(wanted)
        pairs = _differing_pairs(source, target, table, wanted)
        differences += [_difference(table, key, pair) for key, pair in pairs.items()]
    return Verification(rows=rows, differences=tuple(differences))


def _ranges(source: Connection, table: Table) -> Iterator[sql.Composed]:
    after: list[object] | None = None
    while True:
        upto = range_end(source, table, after)
        yield key_condition(table, after, upto)
        if upto is None:
            return
        after = upto


def _checksum(connection: Connection, table: Table, condition: sql.Composed) -> tuple[int, int]:
    row = connection.execute(
        sql.SQL("SELECT count(*), coalesce(bit_xor({}), 0) FROM {} t WHERE {}").format(
            _row_hash(table), table.identifier, condition
        )
    ).fetchone()
    assert row is not None  # an aggregate always gives a row
    return row[0], row[1]


def _differing(source: Connection, target: Connection, table: Table, condition: sql.Composed) -> list[list[object]]:
    key = table.qualified("t", table.key)
    query = sql.SQL("SELECT jsonb_build_array({}), {} FROM {} t WHERE {}").format(
        key, _row_hash(table), table.identifier, condition
    )
    mine, theirs = (
        {json.dumps(found): digest for found, digest in connection.execute(query)} for connection in (source, target)
    )
    return [json.loads(found) for found in sorted(mine.keys() | theirs.keys()) if mine.get(found) != theirs.get(found)]


def _settle(
    source: Connection,
    target: Connection,
    table: Table,
    suspects: list[list[object]],
    catch_up: Callable[[], None],
) -> list[Difference]:
    """The suspects that differ for good: the same two rows again after everything in the logs was applied."""
    definite: list[Difference] = []
    seen: dict[_Key, _Pair] = {}
    for attempt in range(_ROUNDS):
        if not suspects:
            break
        time.sleep(0.01 * attempt)
        catch_up()
        pairs = _differing_pairs(source, target, table, suspects)
        last = attempt == _ROUNDS - 1
        definite += [_difference(table, key, pair) for key, pair in pairs.items() if last or seen.get(key) == pair]
        seen = {key: pair for key, pair in pairs.items() if seen.get(key) != pair}
        suspects = [list(key) for key in seen]
    return definite


def _differing_pairs(
    source: Connection, target: Connection, table: Table, keys: list[list[object]]
) -> dict[_Key, _Pair]:
    if not keys:
        return {}
    mine, theirs = (_rows(connection, table, keys) for connection in (source, target))
    return {
        key: (mine.get(key), theirs.get(key))
        for key in sorted(mine.keys() | theirs.keys())
        if mine.get(key) != theirs.get(key)
    }


def _difference(table: Table, key: _Key, pair: _Pair) -> Difference:
    mine, theirs = pair
    if theirs is None:
        what = "missing at the target"
    elif mine is None:
        what = "only at the target"
    else:
        names = (column.name for column, left, right in zip(table.columns, mine, theirs, strict=True) if left != right)
        what = f"differs in {', '.join(names)}"
    return Difference(table=table.relation, key=key, what=what)


def _rows(connection: Connection, table: Table, keys: list[list[object]]) -> dict[_Key, _Row]:
    as_text = sql.SQL(", ").join(sql.SQL("t.{}::text").format(sql.Identifier(column.name)) for column in table.columns)
    key = sql.SQL(", ").join(sql.SQL("t.{}::text").format(sql.Identifier(column.name)) for column in table.key)
    query = sql.SQL("SELECT {}, {} FROM {} t JOIN {} ON {}").format(
        key, as_text, table.identifier, table.keys_from_json(json.dumps(keys)), table.key_matches("t")
    )
    width = len(table.key)
    return {row[:width]: row[width:] for row in connection.execute(query)}


def _row_hash(table: Table) -> sql.Composed:
    return sql.SQL("hashtextextended(ROW({})::text, 0)").format(table.qualified("t", table.columns))
