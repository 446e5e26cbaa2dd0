"""Tables of PostgreSQL as files, and their end; see strangler.split.archive.

Not kept in an archive: triggers, grants, comments, policies, statistics, storage parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from strangler.split.archive import sha256
from strangler.split.errors import Refused, translating
from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection
from strangler.split.postgres.errors import translated
from strangler.split.store import Archives
from strangler.split.table import Table

_COPY_OUT = """
    COPY (SELECT {columns} FROM {table} t WHERE {meant} ORDER BY {key}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')
"""
_COPY_IN = "COPY {table} ({columns}) FROM STDIN (FORMAT csv, HEADER, ENCODING 'UTF8')"


@translating(translated)
class PostgresArchives(Archives):
    """See Archives."""

    connection: Connection

    def script(self, table: Table, data: str) -> tuple[list[str], list[str]]:
        """See Archives.script."""
        with self.connection.transaction():
            # So that the catalog writes every name of another schema in full.
            self.connection.execute("SET LOCAL search_path = pg_catalog")
            query = sql.SQL(_SHAPE).format(table=sql.Literal(table.relation))
            parts = [str(line) for (line,) in self.connection.execute(query)]
            filled = [
                str(line) for (line,) in self.connection.execute(sql.SQL(_FILLED).format(sql.Literal(table.relation)))
            ]
        name = sql.Identifier(_bare_name(self.connection, table)).as_string(self.connection)
        columns = wording.columns(table).as_string(self.connection)
        made = ",\n    ".join(parts)
        making = [
            f"CREATE TABLE {name} (\n    {made}\n);",
            f"-- \\copy {name} ({columns}) FROM '{data}' (FORMAT csv, HEADER, ENCODING 'UTF8')",
        ]
        return making, [f"{line};" for line in filled]

    def csv(self, table: Table) -> Iterator[bytes]:
        """See Archives.csv."""
        return _csv(self.connection, table, wording.relation(table))

    def given_back(self, table: Table, making: str, filled: str, data: Iterable[bytes]) -> tuple[int, str]:
        """See Archives.given_back: as a temporary table, which takes nobody's place."""
        name = sql.Identifier("pg_temp", _bare_name(self.connection, table))
        with self.connection.transaction(force_rollback=True), self.connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = pg_temp")
            cursor.execute(wording.raw(making))
            with cursor.copy(sql.SQL(_COPY_IN).format(table=name, columns=wording.columns(table))) as copy:
                for chunk in data:
                    copy.write(chunk)
            rows = cursor.rowcount
            return rows, sha256(_csv(self.connection, table, name))

    @contextmanager
    def dropping(self, move: str, tables: Sequence[Table]) -> Iterator[None]:
        """See Archives.dropping."""
        relations = sql.SQL(", ").join(map(wording.relation, tables))
        with translated(), self.connection.transaction():
            # The order of all: the ownership row, then the tables.
            self.connection.execute("SELECT FROM strangler.ownership WHERE move = %s FOR UPDATE", (move,))
            self.connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(relations))
            yield
            captures = [name for table in tables for name in _captures(self.connection, table.relation)]
            try:
                self.connection.execute(sql.SQL("DROP TABLE {}").format(relations))
            except psycopg.errors.DependentObjectsStillExist as error:
                what = (error.diag.message_detail or str(error)).partition("\n")[0]
                raise Refused(f"the tables cannot be dropped: {what}; take that away first") from error
            for capture in captures:
                self.connection.execute(sql.SQL("DROP FUNCTION {}").format(wording.raw(capture)))


def _csv(connection: Connection, table: Table, identifier: sql.Composable) -> Iterator[bytes]:
    query = sql.SQL(_COPY_OUT).format(
        columns=wording.columns(table),
        table=identifier,
        meant=wording.meant(table, "t"),
        key=sql.SQL(", ").join(sql.Identifier(column.name) for column in table.key),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from map(bytes, copy)


_SHAPE = """
    SELECT line FROM (
        SELECT 0 AS part, a.attnum::text AS place, concat_ws(' ',
            quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> t.typcollation
                THEN (SELECT format('COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c
                      JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,
            CASE WHEN a.attgenerated <> ''
                    THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                 WHEN a.attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                 -- The sequence of a serial column goes with its table; an identity column brings its own.
                 WHEN a.attidentity = 'd' OR pg_get_serial_sequence({table}, a.attname) IS NOT NULL
                    THEN 'GENERATED BY DEFAULT AS IDENTITY'
                 WHEN d.adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
            CASE WHEN a.attnotnull THEN 'NOT NULL' END) AS line, a.attnum AS number
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = {table}::regclass AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 1, conname, format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), 0
        FROM pg_constraint WHERE conrelid = {table}::regclass AND contype IN ('p', 'u', 'c', 'x')
    ) lines ORDER BY part, number, place
"""
_FILLED = """
    SELECT line FROM (
        SELECT 0 AS part, pg_get_indexdef(i.indexrelid) AS line FROM pg_index i
        WHERE i.indrelid = {0}::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
        UNION ALL
        SELECT 1, format('ALTER TABLE %s ADD CONSTRAINT %I %s', {0}::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = {0}::regclass AND contype = 'f'
        UNION ALL
        SELECT 2, format('SELECT setval(pg_get_serial_sequence(%L, %L), %s)', {0}, a.attname,
            coalesce(pg_sequence_last_value(pg_get_serial_sequence({0}, a.attname)::regclass), 1))
        FROM pg_attribute a WHERE a.attrelid = {0}::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND pg_get_serial_sequence({0}, a.attname) IS NOT NULL
    ) lines ORDER BY part, line
"""


def _bare_name(connection: Connection, table: Table) -> str:
    row = connection.execute("SELECT relname FROM pg_catalog.pg_class WHERE oid = %s::regclass", (table.relation,))
    return str((row.fetchone() or ("",))[0])


def _captures(connection: Connection, relation: str) -> list[str]:
    """The functions of ours that only this table's triggers call; the fence's is everybody's."""
    rows = connection.execute(
        """SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_trigger t
           JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal
             AND n.nspname = 'strangler' AND p.proname <> 'refuse'
             AND NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgfoid = t.tgfoid
                             AND coalesce(pg_partition_root(o.tgrelid), o.tgrelid) <> t.tgrelid)""",
        (relation,),
    )
    return [str(function) for (function,) in rows]
