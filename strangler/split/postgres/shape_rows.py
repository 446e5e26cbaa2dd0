"""Two shapes on PostgreSQL: both tables as it has them, and their rows while applications write to both."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import psycopg
from psycopg import sql

from strangler.split.postgres import wording
from strangler.split.postgres.catalog import describe, scalar
from strangler.split.postgres.rows import PostgresRows
from strangler.split.postgres.two_shapes import GUARDS, NARROW, WIDE, TwoShapes
from strangler.split.shapes import Column, Shapes
from strangler.split.table import Family, Key, KeyRange, Table

_ATTEMPTS = 50
_PAUSE = 0.1


class PostgresShapes(Shapes):
    """See Shapes. Raises SplitError where a column is missing."""

    def __init__(self, store: PostgresRows, wide: str, narrow: str, columns: tuple[str, ...]) -> None:
        self.store, self.connection = store, store.connection
        self.wide, self.narrow = describe(self.connection, wide), describe(self.connection, narrow)
        self.columns = columns
        self._to = TwoShapes(of=self)
        self.check_columns()

    def expanded(self) -> bool:
        return self._running((*WIDE, *NARROW)) == len(WIDE) + len(NARROW)

    def contracted(self) -> bool:
        return self._running(GUARDS) > 0

    def expand(self) -> Iterator[str]:
        return _written(self._to.expand())

    def part(self) -> Iterator[str]:
        return _written((*self._to.part(), self._to.write("TRUNCATE {narrow}")))

    def contract(self) -> Iterator[str]:
        return _written((*self._to.part(), *self._to.guard(self._defaults())))

    def expand_guarded(self) -> Iterator[str]:
        return _written((*self._to.guard(self._defaults()), *self._to.expand()))

    def unguard(self) -> Iterator[str]:
        return _written(self._to.unguard())

    def unfit(self) -> Iterator[str]:
        if self.wide.key[0].family is Family.OTHER:
            # The triggers' search_path is empty, so that nobody can slip them an operator of his own.
            yield (
                f'the key of table "{self.wide.name}" is of type {self.wide.key[0].type}, which triggers cannot '
                "compare; only numbers, texts, UUIDs, bytes, dates and times can be followed"
            )

    def filled(self) -> bool:
        return not self.store.is_empty(self.narrow)

    def lonely(self) -> int:
        query = "SELECT count(*) FROM {narrow} n WHERE NOT EXISTS (SELECT FROM {wide} t WHERE t.{pk} = n.{key})"
        return int(scalar(self.connection, self._to.write(query)))

    def differences(self) -> int:
        return int(
            scalar(
                self.connection,
                self._to.write(
                    "SELECT count(*) FROM {wide} t FULL JOIN {narrow} n ON n.{key} = t.{pk} "
                    "WHERE n.{key} IS NULL OR t.{pk} IS NULL OR pg_catalog.record_image_ne(ROW({t}), ROW({n}))"
                ),
            )
        )

    def backfill(self) -> None:
        for keys in self.ranges():
            # What is there already is as new as what we read. The wide row is held, so that it is not deleted between
            # our look and our writing.
            self._patiently(
                [
                    self._to.write(
                        "INSERT INTO {narrow} ({key}, {columns}) SELECT t.{pk}, {t} FROM {rows} ORDER BY t.{pk} "
                        "FOR KEY SHARE OF t ON CONFLICT DO NOTHING",
                        rows=wording.rows_of(self.wide, keys),
                    )
                ],
            )

    def fill_back(self) -> None:
        for keys in self.ranges():
            rows, within = wording.rows_of(self.wide, keys), wording.within(self.wide, keys)
            self._patiently(
                [
                    sql.SQL("SET LOCAL strangler.two_shapes = 'fills'"),
                    # The rows are held before the narrow ones are read: what somebody has changed there and we do not
                    # see yet, he carries over himself, behind us.
                    self._to.write("SELECT FROM {rows} ORDER BY t.{pk} FOR NO KEY UPDATE OF t", rows=rows),
                    self._to.write(
                        "UPDATE {wide} t SET {set_n} FROM {narrow} n WHERE {within} AND n.{key} = t.{pk} "
                        "AND pg_catalog.record_image_ne(ROW({t}), ROW({n}))",
                        within=within,
                    ),
                    self._to.write(
                        "UPDATE {wide} t SET {set_default} WHERE {within} "
                        "AND NOT EXISTS (SELECT FROM {narrow} n WHERE n.{key} = t.{pk})",
                        within=within,
                    ),
                ],
            )
        self.backfill()

    def described(self, table: Table) -> dict[str, Column]:
        return {
            name: Column(type=type_, required=required, generated=generated, default=default)
            for name, type_, required, generated, default in self.connection.execute(
                """SELECT attname::text, format_type(atttypid, atttypmod), attnotnull,
                          attgenerated <> '' OR attidentity = 'a', pg_get_expr(adbin, adrelid)
                   FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                   WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped""",
                (table.relation,),
            ).fetchall()
        }

    def _defaults(self) -> sql.Composed:
        """What the wide table gives the columns by itself."""
        columns = self.described(self.wide)
        return sql.SQL(", ").join(
            # Of the column's type: a default is kept as it was written.
            sql.SQL("({})::{}").format(wording.raw(columns[name].default or "NULL"), wording.raw(columns[name].type))
            for name in self.columns
        )

    def range_end(self, keys: KeyRange, size: int) -> Key | None:
        return self.store.range_end(self.wide, keys, size)

    def _patiently(self, statements: Sequence[sql.SQL | sql.Composed]) -> None:
        """One transaction, again and again while others are in its way: in a deadlock it is we who give way."""
        with suppress(psycopg.errors.InsufficientPrivilege):
            self.connection.execute("SET deadlock_timeout = '50ms'")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.connection.transaction():
                    for statement in statements:
                        self.connection.execute(statement)
                return
            except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE)

    def _running(self, triggers: Sequence[str]) -> int:
        count = scalar(
            self.connection,
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = ANY(%s::regclass[]) AND tgname = ANY(%s) "
            "AND tgenabled = 'O'",
            ([self.wide.relation, self.narrow.relation], [self.name(trigger) for trigger in triggers]),
        )
        return int(count)


def _written(statements: Iterable[sql.Composed]) -> Iterator[str]:
    yield "SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)"
    yield "CREATE SCHEMA IF NOT EXISTS strangler"
    yield from (statement.as_string() for statement in statements)
