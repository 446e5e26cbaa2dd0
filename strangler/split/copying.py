"""The first copy: key range by key range, each with its checkpoint in one transaction at the target."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from strangler.split.database import Connection, Table, scalar
from strangler.split.layout import Layout

RANGE = 50_000
"""Rows in a range: 10,000 costs a fifth more, more than 50,000 gains nothing (docs/performance.md)."""


@dataclass(frozen=True, kw_only=True)
class CopyProgress:
    """How far the copy is, in rows; "total" is the planner's estimate until the copy is done."""

    table: str
    rows: int
    total: int
    done: bool

    def __str__(self) -> str:
        return f"{self.table}: {self.rows:,} of about {max(self.total, self.rows):,} rows copied"


def copy(
    source: Connection,
    target: Connection,
    move: str,
    layout: Layout,
    on_progress: Callable[[CopyProgress], None],
) -> CopyProgress:
    """Copy what is not copied yet; run again after a crash, it goes on behind the last range.

    "target" is the applier's connection. Captures must be in place on the source: rows that change meanwhile
    are in its log and are applied again afterwards.
    """
    total = 0
    for table in layout.copied:
        last, rows, done = _state(target, move, table)
        while not done:
            last, copied, done = _copy_range(source, target, move, table, last)
            rows += copied
            on_progress(CopyProgress(table=table.relation, rows=rows, total=_estimate(source, table), done=done))
        total += rows
    return CopyProgress(table="all tables", rows=total, total=total, done=True)


def copied(target: Connection, move: str) -> bool:
    """Whether every table is copied. This is a read-only operation."""
    return bool(scalar(target, "SELECT coalesce(bool_and(done), false) FROM strangler.copies WHERE move = %s", (move,)))


def key_condition(table: Table, after: list[object] | None, upto: list[object] | None) -> sql.Composed:
    """A condition for the keys in the half-open range (after, upto]; None is unbounded."""
    key = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.key)
    parts = [
        sql.SQL("({}) {} ({})").format(key, sql.SQL(operator), _key_values(table, bound))
        for operator, bound in ((">", after), ("<=", upto))
        if bound is not None
    ]
    return sql.SQL(" AND ").join(parts) if parts else sql.Composed([sql.SQL("true")])


def range_end(source: Connection, table: Table, after: list[object] | None) -> list[object] | None:
    """The key that ends the range of RANGE rows behind "after", None where fewer are left."""
    key = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.key)
    found = scalar(
        source,
        sql.SQL("SELECT jsonb_build_array({}) FROM {} WHERE {} ORDER BY {} OFFSET {} LIMIT 1").format(
            key, table.identifier, key_condition(table, after, None), key, sql.Literal(RANGE - 1)
        ),
    )
    return found if isinstance(found, list) else None


def _copy_range(
    source: Connection, target: Connection, move: str, table: Table, after: list[object] | None
) -> tuple[list[object] | None, int, bool]:
    upto = range_end(source, table, after)
    select = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT BINARY)").format(
        table.column_list, table.identifier, key_condition(table, after, upto)
    )
    with target.transaction():
        current = target.execute(
            "SELECT last_key FROM strangler.copies WHERE move = %s AND relation = %s FOR UPDATE",
            (move, table.relation),
        ).fetchone()
        if current != (after,):
            # Another executor has done this range meanwhile: go on from where it stands.
            last, _, done = _state(target, move, table)
            return last, 0, done
        rows = pipe(source, target, select, table)
        done = upto is None
        target.execute(
            "UPDATE strangler.copies SET last_key = %s::jsonb, rows = rows + %s, done = %s "
            "WHERE move = %s AND relation = %s",
            (None if done else json.dumps(upto), rows, done, move, table.relation),
        )
    return upto, rows, done


def pipe(source: Connection, target: Connection, select: sql.Composed, table: Table) -> int:
    """Send the rows of "select" (a binary COPY TO STDOUT) into the table as they are; the number of rows."""
    into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(table.identifier, table.column_list)
    with source.cursor() as out, target.cursor() as inwards:
        with out.copy(select) as reading, inwards.copy(into) as writing:
            for chunk in reading:
                writing.write(chunk)
        return inwards.rowcount


def _state(target: Connection, move: str, table: Table) -> tuple[list[object] | None, int, bool]:
    row = target.execute(
        "SELECT last_key, rows, done FROM strangler.copies WHERE move = %s AND relation = %s",
        (move, table.relation),
    ).fetchone()
    return (None, 0, False) if row is None else (row[0], row[1], row[2])


def _estimate(source: Connection, table: Table) -> int:
    return int(scalar(source, "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (table.relation,)) or 0)


def _key_values(table: Table, bound: list[object]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Literal(str(value)), column.sql_type)
        for column, value in zip(table.key, bound, strict=True)
    )
