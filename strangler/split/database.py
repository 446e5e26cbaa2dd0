"""Connections to one of the two databases, and what its catalog says of a table."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from strangler.split.errors import DatabaseUnreachable, SplitError

Connection: TypeAlias = psycopg.Connection[TupleRow]

# Rows are compared as text, so everything that changes how a value is written is fixed.
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c synchronous_commit=on"
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the catalog describes it; generated ones are left out everywhere."""

    name: str
    type: str

    @property
    def sql_type(self) -> sql.SQL:
        return _raw(self.type)

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that is copied, captured and compared: qualified name, columns, primary key."""

    relation: str  # quoted and qualified: public.reviews_review
    columns: tuple[Column, ...]
    key: tuple[Column, ...]

    @property
    def identifier(self) -> sql.SQL:
        return _raw(self.relation)

    @property
    def column_list(self) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(column.name) for column in self.columns)

    def qualified(self, alias: LiteralString, columns: tuple[Column, ...]) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL(alias + ".") + sql.Identifier(column.name) for column in columns)

    def keys_from_json(self, keys: str) -> sql.Composed:
        """A FROM item "wanted" with this table's key columns, made of a JSON array of key arrays."""
        parts = sql.SQL(", ").join(
            sql.SQL("(k.value ->> {})::{} AS {}").format(
                sql.Literal(index), column.sql_type, sql.Identifier(column.name)
            )
            for index, column in enumerate(self.key)
        )
        return sql.SQL("(SELECT DISTINCT {} FROM jsonb_array_elements({}::jsonb) k) wanted").format(
            parts, sql.Literal(keys)
        )

    def key_matches(self, alias: LiteralString) -> sql.Composed:
        """A condition: the row called "alias" has the key of "wanted"."""
        return sql.SQL(" AND ").join(
            sql.SQL(alias + ".{0} = wanted.{0}").format(sql.Identifier(column.name)) for column in self.key
        )

    def __str__(self) -> str:
        return self.relation


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where to connect, and what to call it in an error."""

    name: str  # "source" or "target"
    dsn: str

    def connect(self, *, lock_timeout: float = 5.0, statement_timeout: float = 0.0) -> Connection:
        """An autocommit connection; the bounds are in seconds, 0 means none.

        Raises DatabaseUnreachable with one sentence that never holds the password.
        """
        options = (
            f"{_SETTINGS} -c lock_timeout={int(lock_timeout * 1000)} "
            f"-c statement_timeout={int(statement_timeout * 1000)} "
            "-c idle_in_transaction_session_timeout=60000"
        )
        try:
            return psycopg.connect(
                self.dsn,
                autocommit=True,
                options=options,
                connect_timeout=5,
                application_name="django-strangler",
                keepalives_idle=5,
                tcp_user_timeout=10_000,
            )
        except psycopg.OperationalError as error:
            raise DatabaseUnreachable(self._why(error)) from error
        except psycopg.ProgrammingError as error:
            raise DatabaseUnreachable(
                f"the DSN of the {self.name} database cannot be read; write it as "
                "postgresql://user:password@host:port/database"
            ) from error

    def connect_for_switch(self, lock_timeout: float) -> Connection:
        """A connection that does not wait long for a table, and that an autovacuum of it makes way for.

        PostgreSQL ends an autovacuum that blocks somebody, but only after deadlock_timeout, by default longer than
        a switch may wait. Without the right to set that, the switch is tried again until the vacuum is over.
        """
        connection = self.connect(lock_timeout=lock_timeout)
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET deadlock_timeout = '50ms'")
        return connection

    def connect_as_applier(self) -> Connection:
        """A connection that passes the fences and whose changes are not captured back."""
        connection = self.connect()
        try:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET ROLE strangler_applier")
        except psycopg.Error as error:
            connection.close()
            raise SplitError(
                f"the user of the {self.name} database may not become strangler_applier ({_first_line(error)}); "
                "give it superuser rights, or GRANT strangler_applier to it and "
                "GRANT SET ON PARAMETER session_replication_role"
            ) from error
        return connection

    def _why(self, error: psycopg.OperationalError) -> str:
        try:
            where = psycopg.conninfo.conninfo_to_dict(self.dsn)
        except psycopg.ProgrammingError:
            where = {}
        return (
            f'cannot connect to the {self.name} database "{where.get("dbname", "")}" at '
            f'{where.get("host", "")}:{where.get("port", 5432)} as "{where.get("user", "")}": '
            f"{_first_line(error)}; check that it runs and that its DSN is right"
        )


def describe_table(connection: Connection, name: str, columns: tuple[str, ...] | None = None) -> Table:
    """The table "name" as this database has it, with all its columns or the named ones.

    Raises SplitError if it is missing, has no primary key, or lacks a named column.
    """
    row = connection.execute(
        """SELECT c.oid, format('%%I.%%I', n.nspname, c.relname)
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.oid = to_regclass(%s)""",
        (name,),
    ).fetchone()
    where = f'database "{connection.info.dbname}"'
    if row is None:
        raise SplitError(f'there is no table "{name}" in {where}; migrate it first, or correct the name in the plan')
    oid, relation = row
    found = {
        column: Column(name=column, type=type_)
        for column, type_ in connection.execute(
            """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
            (oid,),
        )
    }
    key = [
        column
        for (column,) in connection.execute(
            """SELECT a.attname FROM pg_index i
               CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
               WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.position""",
            (oid,),
        )
    ]
    if not key:
        raise SplitError(f'table "{name}" in {where} has no primary key; give it one, rows cannot be followed without')
    wanted = columns or tuple(found)
    missing = [column for column in (*wanted, *key) if column not in found]
    if missing:
        raise SplitError(f'table "{name}" in {where} has no column "{missing[0]}"; correct the plan or migrate')
    if left_out := [column for column in key if column not in wanted]:
        raise SplitError(f'the columns of "{name}" leave out "{left_out[0]}" of its primary key; add it to the plan')
    return Table(
        relation=relation,
        columns=tuple(found[column] for column in wanted),
        key=tuple(found[column] for column in key),
    )


def scalar(connection: Connection, query: LiteralString | sql.Composed, params: tuple[Any, ...] = ()) -> Any:
    """The first column of the only row of "query", or None where there is no row."""
    row = connection.execute(query, params).fetchone()
    return None if row is None else row[0]


def _raw(text: str) -> sql.SQL:
    # Only for names and types that the catalog itself has quoted.
    return sql.SQL(text)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    detail = lines[-1] if lines else type(error).__name__
    return detail.removeprefix("FATAL:").strip().split("FATAL:")[-1].strip()
