"""The rows of two shapes: filled, filled back and compared, while applications write to both."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql

from strangler.split.errors import Refused, SplitError
from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection, describe, scalar
from strangler.split.postgres.rows import is_empty, range_end
from strangler.split.postgres.two_shapes import GUARDS, NARROW, WIDE, TwoShapes
from strangler.split.table import Family, KeyRange

_AT_ONCE = 1_000
"""Keys in one transaction: whoever writes to the same rows waits for it."""
_ATTEMPTS = 50
_PAUSE = 0.1


@dataclass(frozen=True, kw_only=True)
class _Column:
    type: str
    required: bool
    generated: bool
    default: str | None


def two_shapes(connection: Connection, wide: str, narrow: str, columns: tuple[str, ...]) -> TwoShapes:
    """The two tables as the database has them. This is a read-only operation."""
    shapes = TwoShapes(wide=describe(connection, wide), narrow=describe(connection, narrow), columns=columns)
    for table in (shapes.wide, shapes.narrow):
        if missing := [name for name in columns if name not in _columns(connection, table.name)]:
            raise SplitError(f'table "{table}" has no column "{missing[0]}"; migrate first, or correct the plan')
    return shapes


def expanded(connection: Connection, shapes: TwoShapes) -> bool:
    """Whether all is there that keeps both equal. This is a read-only operation."""
    return _running(connection, shapes, (*WIDE, *NARROW)) == len(WIDE) + len(NARROW)


def contracted(connection: Connection, shapes: TwoShapes) -> bool:
    """Whether the narrow table counts: the old columns are guarded, if only in part. This is a read-only operation."""
    return _running(connection, shapes, GUARDS) > 0


def split_refusals(connection: Connection, shapes: TwoShapes) -> Iterator[str]:
    """Why the tables cannot be kept equal, a sentence each. This is a read-only operation."""
    wide, narrow = _columns(connection, shapes.wide.name), _columns(connection, shapes.narrow.name)
    if shapes.wide.key[0].family is Family.OTHER:
        # The triggers' search_path is empty, so that nobody can slip them an operator of his own.
        yield (
            f'the key of table "{shapes.wide.name}" is of type {shapes.wide.key[0].type}, which triggers cannot '
            "compare; only numbers, texts, UUIDs, bytes, dates and times can be followed"
        )
    pairs = [(shapes.wide.key[0].name, shapes.narrow.key[0].name), *((name, name) for name in shapes.columns)]
    for name, other in pairs:
        one, two = wide[name], narrow[other]
        if one.type != two.type:
            yield (
                f'"{name}" of table "{shapes.wide.name}" is {one.type}, and "{other}" of table "{shapes.narrow.name}" '
                f"is {two.type}; migrate one of them"
            )
        if two.required and not one.required:
            yield (
                f'"{name}" of table "{shapes.wide.name}" may be NULL, and "{other}" of table "{shapes.narrow.name}" '
                "may not; migrate one of them"
            )
        if (one.generated or two.generated) and name in shapes.columns:
            yield f'"{name}" is computed by the database and never written; leave it out of the split'
    if not expanded(connection, shapes) and not is_empty(connection, shapes.narrow):
        yield f'table "{shapes.narrow.name}" is not empty; look whose rows these are, and empty it'


def contract_refusals(connection: Connection, shapes: TwoShapes) -> Iterator[str]:
    """Why the old columns cannot be left alone, a sentence each. This is a read-only operation."""
    columns = _columns(connection, shapes.wide.name)
    for name in shapes.columns:
        if columns[name].required and columns[name].default is None:
            yield (
                f'"{name}" of table "{shapes.wide.name}" may not be NULL and has no default in the database, so that '
                "no row could be written without it; give it db_default, or null=True"
            )
    if not contracted(connection, shapes):
        if not expanded(connection, shapes):
            yield f'the triggers on "{shapes.wide.name}" and "{shapes.narrow.name}" are not all there; split them again'
        elif count := differences(connection, shapes):
            yield (
                f'{count:,} rows of "{shapes.wide.name}" and "{shapes.narrow.name}" differ; find out who wrote past '
                "the triggers, and correct them"
            )


def part_refusals(connection: Connection, shapes: TwoShapes) -> Iterator[str]:
    """Why the old columns cannot come back, a sentence each. This is a read-only operation."""
    query = "SELECT count(*) FROM {narrow} n WHERE NOT EXISTS (SELECT FROM {wide} t WHERE t.{pk} = n.{key})"
    if count := scalar(connection, shapes.write(query)):
        yield (
            f'{count:,} rows of "{shapes.narrow.name}" belong to no row of "{shapes.wide.name}", which has no place '
            "for them; see what they are, and delete them"
        )


def differences(connection: Connection, shapes: TwoShapes) -> int:
    """The number of rows that are not the same in both, or are in one only. This is a read-only operation."""
    return int(
        scalar(
            connection,
            shapes.write(
                "SELECT count(*) FROM {wide} t FULL JOIN {narrow} n ON n.{key} = t.{pk} "
                "WHERE n.{key} IS NULL OR t.{pk} IS NULL OR pg_catalog.record_image_ne(ROW({t}), ROW({n}))"
            ),
        )
    )


def defaults(connection: Connection, shapes: TwoShapes) -> sql.Composed:
    """What the wide table gives the columns by itself."""
    columns = _columns(connection, shapes.wide.name)
    return sql.SQL(", ").join(
        # Of the column's type: a default is kept as it was written.
        sql.SQL("({})::{}").format(wording.raw(columns[name].default or "NULL"), wording.raw(columns[name].type))
        for name in shapes.columns
    )


def backfill(connection: Connection, shapes: TwoShapes) -> None:
    """Give every wide row its narrow one, once both are kept equal. Safe to run again, and under writers."""
    for keys in _ranges(connection, shapes):
        # What is there already is as new as what we read. The wide row is held, so that it is not deleted between our
        # look and our writing.
        _patiently(
            connection,
            [
                shapes.write(
                    "INSERT INTO {narrow} ({key}, {columns}) SELECT t.{pk}, {t} FROM {rows} ORDER BY t.{pk} "
                    "FOR KEY SHARE OF t ON CONFLICT DO NOTHING",
                    rows=wording.rows_of(shapes.wide, keys),
                )
            ],
        )


def fill_back(connection: Connection, shapes: TwoShapes) -> None:
    """Bring the old columns up to the narrow table, once both are kept equal, and guarded. Safe under writers.

    A wide row without a narrow one gets the columns' defaults, and a narrow row with these.
    """
    for keys in _ranges(connection, shapes):
        rows, within = wording.rows_of(shapes.wide, keys), wording.within(shapes.wide, keys)
        _patiently(
            connection,
            [
                sql.SQL("SET LOCAL strangler.two_shapes = 'fills'"),
                # The rows are held before the narrow ones are read: what somebody has changed there and we do not see
                # yet, he carries over himself, behind us.
                shapes.write("SELECT FROM {rows} ORDER BY t.{pk} FOR NO KEY UPDATE OF t", rows=rows),
                shapes.write(
                    "UPDATE {wide} t SET {set_n} FROM {narrow} n WHERE {within} AND n.{key} = t.{pk} "
                    "AND pg_catalog.record_image_ne(ROW({t}), ROW({n}))",
                    within=within,
                ),
                shapes.write(
                    "UPDATE {wide} t SET {set_default} WHERE {within} "
                    "AND NOT EXISTS (SELECT FROM {narrow} n WHERE n.{key} = t.{pk})",
                    within=within,
                ),
            ],
        )
    backfill(connection, shapes)


def check_equal(connection: Connection, shapes: TwoShapes) -> None:
    """Raises Refused where a row is not the same in both."""
    if count := differences(connection, shapes):
        raise Refused(
            f'{count:,} rows of "{shapes.wide.name}" and "{shapes.narrow.name}" differ; run the plan again or go back'
        )


def _ranges(connection: Connection, shapes: TwoShapes) -> Iterator[KeyRange]:
    after = None
    while True:
        upto = range_end(connection, shapes.wide, KeyRange(after=after), _AT_ONCE)
        yield KeyRange(after=after, upto=upto)
        if upto is None:
            return
        after = upto


def _patiently(connection: Connection, statements: Sequence[sql.SQL | sql.Composed]) -> None:
    """One transaction, again and again while others are in its way: in a deadlock it is we who give way."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute("SET deadlock_timeout = '50ms'")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
            return
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE)


def _running(connection: Connection, shapes: TwoShapes, triggers: Sequence[str]) -> int:
    count = scalar(
        connection,
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = ANY(%s::regclass[]) AND tgname = ANY(%s) AND tgenabled = 'O'",
        ([shapes.wide.relation, shapes.narrow.relation], [shapes.name(trigger) for trigger in triggers]),
    )
    return int(count)


def _columns(connection: Connection, table: str) -> dict[str, _Column]:
    return {
        name: _Column(type=type_, required=required, generated=generated, default=default)
        for name, type_, required, generated, default in connection.execute(
            """SELECT attname::text, format_type(atttypid, atttypmod), attnotnull,
                      attgenerated <> '' OR attidentity = 'a', pg_get_expr(adbin, adrelid)
               FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
               WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped""",
            (table,),
        ).fetchall()
    }
