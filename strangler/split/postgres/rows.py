"""Rows of PostgreSQL: out and in by binary COPY, compared by checksums that the server makes."""

from __future__ import annotations

import select
from collections.abc import Iterable, Iterator
from typing import LiteralString

import psycopg
from psycopg import abc, pq, sql
from psycopg.adapt import Loader

from strangler.split.errors import translating
from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection, scalar
from strangler.split.postgres.errors import translated
from strangler.split.store import Rows
from strangler.split.table import (
    EVERYTHING,
    Family,
    Key,
    KeyRange,
    Selection,
    Table,
    Value,
    canonical_json,
    key_from_text,
)

_NOT_ALL_IN_PYTHON = ("date", "time", "timestamp")
_PIECE = 1 << 18
"""Bytes that are gathered before they are passed on: the server sends row by row."""
# Equal hashes mean equal values and images only for these; the others are hashed as text.
_HASHED_AS_THEY_ARE = {
    Family.BOOLEAN,
    Family.INTEGER,
    Family.TEXT,
    Family.BYTES,
    Family.UUID,
    Family.DATE,
    Family.TIME,
    Family.TIMESTAMP,
}
# How a value is read where Python would otherwise get another one. Times are read in UTC, the connection's zone.
_READ_AS: dict[Family, LiteralString] = {
    Family.TIMESTAMP: "t.{}::timestamp",
    Family.JSON: "t.{}::text",
}


@translating(translated)
class PostgresRows(Rows):
    """See Rows."""

    connection: Connection
    portable = False
    """Whether its digests are the same in other major versions."""

    def is_empty(self, table: Table) -> bool:
        """See Rows.is_empty."""
        found = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(wording.rows_of(table, EVERYTHING))
        return scalar(self.connection, found) is None

    def estimate(self, table: Table) -> int:
        """See Rows.estimate."""
        if table.where is None:
            rows = scalar(
                self.connection,
                """SELECT sum(greatest(reltuples, 0)) FROM pg_class
                   WHERE relkind = 'r' AND (oid = %(table)s::regclass
                                            OR oid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass)))""",
                {"table": table.relation},
            )
            return int(rows or 0)
        plan = sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM {}").format(wording.rows_of(table, EVERYTHING))
        return int(scalar(self.connection, plan)[0]["Plan"]["Plan Rows"])

    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        """See Rows.range_end. Whole numbers are stepped over by arithmetic; other keys are counted."""
        key = wording.qualified("t", table.key)
        rows = wording.rows_of(table, keys)
        if [column.family for column in table.key] == [Family.INTEGER]:
            ends = self.connection.execute(sql.SQL("SELECT min({0}), max({0}) FROM {1}").format(key, rows)).fetchone()
            first, last = ends or (None, None)
            return None if first is None or first + size > last else (str(first + size - 1),)
        found = self.connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY {} OFFSET {} LIMIT 2").format(
                wording.key_text("t", table), rows, key, sql.Literal(size - 1)
            )
        ).fetchall()
        return key_from_text(found[0][0]) if len(found) == 2 else None

    def dump(self, table: Table, selection: Selection) -> Iterator[bytes]:
        """See Rows.dump."""
        statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT BINARY)").format(
            wording.qualified("t", table.columns), wording.rows_of(table, selection)
        )
        # libpq gives a row at a time, and psycopg's own loop around it costs three times as much as these few lines.
        pgconn = self.connection.pgconn
        pgconn.send_query(statement.as_bytes(self.connection))
        _wait(pgconn)
        started = pgconn.get_result()
        if started is None or started.status != pq.ExecStatus.COPY_OUT:
            _finish(pgconn, started)
        gathered: list[bytes | bytearray | memoryview] = []
        size = 0
        ended = False
        try:
            while True:
                length, row = pgconn.get_copy_data(1)
                if length > 0:
                    gathered.append(row)
                    size += length
                    if size >= _PIECE:
                        yield b"".join(gathered)
                        gathered, size = [], 0
                elif length == 0:
                    _receive(pgconn)
                else:
                    break
            yield b"".join(gathered)
            ended = True
        finally:
            if not ended:
                # Nobody wants the rest: the connection must be fit for its next statement.
                pgconn.get_cancel().cancel()
                while pgconn.get_copy_data(0)[0] > 0:
                    pass
                while pgconn.get_result() is not None:
                    pass
        _wait(pgconn)
        _finish(pgconn, pgconn.get_result())

    def load(self, table: Table, pieces: Iterable[bytes]) -> int:
        """See Rows.load."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            wording.relation(table), wording.columns(table)
        )
        with self.connection.cursor() as cursor:
            with cursor.copy(statement) as writing:
                for piece in pieces:
                    writing.write(piece)
            return cursor.rowcount

    def values(self, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
        """See Rows.values."""
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(
                sql.SQL(_READ_AS.get(column.family, "t.{}")).format(sql.Identifier(column.name))
                for column in table.columns
            ),
            wording.rows_of(table, selection),
        )
        json_columns = [n for n, column in enumerate(table.columns) if column.family is Family.JSON]
        with self.connection.cursor() as cursor:
            for kind in _NOT_ALL_IN_PYTHON:
                cursor.adapters.register_loader(kind, _or_as_text(self.connection, kind))
            for row in cursor.stream(query, size=1_000):
                if not json_columns:
                    yield row
                    continue
                read = list(row)
                for n in json_columns:
                    read[n] = None if read[n] is None else canonical_json(read[n])
                yield tuple(read)

    def insert(self, table: Table, given: Iterable[tuple[Value, ...]]) -> int:
        """See Rows.insert."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(wording.relation(table), wording.columns(table))
        with self.connection.cursor() as cursor:
            with cursor.copy(statement) as writing:
                for row in given:
                    writing.write_row(row)
            return cursor.rowcount

    def delete(self, table: Table, selection: Selection) -> None:
        """See Rows.delete."""
        if isinstance(selection, KeyRange):
            self.connection.execute(sql.SQL("DELETE FROM {}").format(wording.rows_of(table, selection)))
            return
        self.connection.execute(
            sql.SQL("DELETE FROM {} t USING {} WHERE {}").format(
                wording.relation(table), wording.wanted(table, selection), wording.matches(table)
            )
        )

    def compare_with(self, other: Rows) -> None:
        """See Rows.compare_with. Hashes of rows are the same within a major version only."""
        self.portable = isinstance(other, PostgresRows) and other.major != self.major

    @property
    def major(self) -> int:
        """The server's major version."""
        with translated():  # a connection that has died tells nothing
            return self.connection.info.server_version // 10_000

    def checksum(self, table: Table, selection: Selection) -> tuple[int, int]:
        """See Rows.checksum."""
        row = self.connection.execute(
            sql.SQL("SELECT count(*), coalesce(bit_xor({}), 0) FROM {}").format(
                _row_hash(table, portable=self.portable), wording.rows_of(table, selection)
            )
        ).fetchone()
        assert row is not None  # an aggregate always gives a row
        return row[0], row[1]

    def digests(self, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
        """See Rows.digests."""
        query = sql.SQL("SELECT {}, {} FROM {}").format(
            wording.key_text("t", table), _row_hash(table, portable=self.portable), wording.rows_of(table, selection)
        )
        with self.connection.cursor() as cursor:
            for key, digest in cursor.stream(query, size=1_000):
                yield key_from_text(key), digest

    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        """See Rows.texts."""
        values = sql.SQL(", ").join(
            sql.SQL("t.{}::text").format(sql.Identifier(column.name)) for column in table.columns
        )
        query = sql.SQL("SELECT {}, {} FROM {}").format(
            wording.key_text("t", table), values, wording.rows_of(table, keys)
        )
        return {key_from_text(row[0]): row[1:] for row in self.connection.execute(query)}


def _wait(pgconn: pq.abc.PGconn) -> None:
    """Until the server's next result is there."""
    while pgconn.is_busy():
        _receive(pgconn)


def _receive(pgconn: pq.abc.PGconn) -> None:
    select.select([pgconn.socket], [], [])
    pgconn.consume_input()


def _finish(pgconn: pq.abc.PGconn, result: pq.abc.PGresult | None) -> None:
    """Take what is left of the answer; raise what the server said went wrong."""
    failed = None
    while result is not None:
        if result.status != pq.ExecStatus.COMMAND_OK:
            failed = result
        result = pgconn.get_result()
    if failed is not None:
        raise psycopg.errors.error_from_result(failed)


def _row_hash(table: Table, *, portable: bool) -> sql.Composed:
    """64 bits of a row; "portable" ones are the same in all versions of PostgreSQL, and cost more."""
    if portable:
        texts = sql.SQL(", ").join(
            sql.SQL("t.{}::text").format(sql.Identifier(column.name)) for column in table.columns
        )
        return sql.SQL("('x' || left(md5(ROW({})::text), 16))::bit(64)::bigint").format(texts)
    values = sql.SQL(", ").join(
        sql.SQL("t.{}" if column.family in _HASHED_AS_THEY_ARE else "t.{}::text").format(sql.Identifier(column.name))
        for column in table.columns
    )
    return sql.SQL("hash_record_extended(ROW({}), 0)").format(values)


def _or_as_text(connection: Connection, kind: str) -> type[abc.Loader]:
    """A loader that gives the text of what Python cannot hold: infinity, years before 1 and after 9999, 24:00."""
    oid = connection.adapters.types[kind].oid
    known: type[abc.Loader] | None = connection.adapters.get_loader(oid, pq.Format.TEXT)
    assert known is not None  # psycopg brings them
    strict = known

    class Forgiving(Loader):
        def __init__(self, oid: int, context: abc.AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: abc.Buffer) -> object:
            try:
                return self._strict.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Forgiving
