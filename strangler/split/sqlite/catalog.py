"""What a SQLite database says of its tables. Everything here only reads."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from strangler.split.errors import SplitError
from strangler.split.numbers import Numbers
from strangler.split.sqlite.indexes import unique_indexes
from strangler.split.sqlite.wording import columns, literal, meant, quoted, unquoted
from strangler.split.table import Column, Family, Table

TRIGGER = "strangler_"
"""What the names of the toolkit's triggers begin with."""
_OLDEST = (3, 38)
_FAMILIES = {
    "bool": Family.BOOLEAN,
    "boolean": Family.BOOLEAN,
    "int": Family.INTEGER,
    "integer": Family.INTEGER,
    "bigint": Family.INTEGER,
    "smallint": Family.INTEGER,
    "mediumint": Family.INTEGER,
    "tinyint": Family.INTEGER,
    "decimal": Family.DECIMAL,
    "numeric": Family.DECIMAL,
    "real": Family.FLOAT,
    "double": Family.FLOAT,
    "double precision": Family.FLOAT,
    "float": Family.FLOAT,
    "text": Family.TEXT,
    "clob": Family.TEXT,
    "char": Family.TEXT,
    "varchar": Family.TEXT,
    "blob": Family.BYTES,
    "date": Family.DATE,
    "time": Family.TIME,
    "datetime": Family.TIMESTAMP,
    "timestamp": Family.TIMESTAMP,
}
_WITHOUT_KEYS = (Family.FLOAT, Family.DECIMAL, Family.OTHER)
_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
_HIGHEST = 2**63 - 1
_NORMAL = 0  # neither generated nor hidden


def describe(connection: sqlite3.Connection, name: str, wanted: tuple[str, ...] | None) -> Table:
    """See Catalog.describe."""
    row = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    if row is None or row[0] == "index":
        raise SplitError(
            f'there is no table "{name}" in the database; migrate it first, or correct the name in the plan'
        )
    if row[0] != "table" or row[1].upper().startswith("CREATE VIRTUAL"):
        raise SplitError(f'"{name}" is no ordinary table; only those can be moved')
    known, key = _columns(connection, name)
    if not key:
        raise SplitError(f'table "{name}" has no primary key; give it one, rows cannot be followed without')
    chosen = wanted or tuple(known)
    if missing := [column for column in (*chosen, *key) if column not in known]:
        raise SplitError(f'table "{name}" has no column "{missing[0]}"; correct the plan or migrate')
    if left_out := [column for column in key if column not in chosen]:
        raise SplitError(f'the columns of "{name}" leave out "{left_out[0]}" of its primary key; add it to the plan')
    if nullable := _nullable(connection, name, key):
        raise SplitError(
            f'the key column "{nullable[0]}" of "{name}" takes NULL; make it NOT NULL, rows are followed by it'
        )
    if bad := [known[column] for column in key if known[column].family in _WITHOUT_KEYS]:
        raise SplitError(
            f'the primary key of "{name}" has the column "{bad[0]}", whose values SQLite does not write exactly as '
            "text; use integer, text or blob"
        )
    return Table(
        name=name,
        relation=quoted(name),
        columns=tuple(known[column] for column in chosen),
        key=tuple(known[column] for column in key),
    )


def shape(connection: sqlite3.Connection, tables: Iterable[Table]) -> str:
    """See Catalog.shape. The toolkit's triggers belong to it: a migration that makes a table anew drops them."""
    found = []
    for table in tables:
        name = unquoted(table.relation)
        found.append((name, connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()))
        found.append((name, sorted(triggers(connection, table).items())))
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def triggers(connection: sqlite3.Connection, table: Table) -> dict[str, str]:
    """The toolkit's triggers of the table: name and statement."""
    return dict(
        connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name GLOB ?",
            (unquoted(table.relation), f"{TRIGGER}*"),
        ).fetchall()
    )


def crossing_keys(connection: sqlite3.Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.crossing_keys."""
    moved = {unquoted(table.relation).lower() for table in tables}
    return [
        f'a foreign key ({column}) still ties "{child}" to "{parent}"; cut it first (CutForeignKey)'
        for child, column, parent in foreign_keys(connection)
        if (child.lower() in moved) != (parent.lower() in moved)
    ]


def orphans(connection: sqlite3.Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.orphans."""
    moved = {unquoted(table.relation).lower() for table in tables}
    counts: dict[tuple[str, str], int] = {}
    for table in tables:
        for child, _, parent, _ in connection.execute(f"PRAGMA foreign_key_check({table.relation})"):
            if parent.lower() in moved:
                counts[child, parent] = counts.get((child, parent), 0) + 1
    return [
        f'{count:,} rows of "{child}" violate a foreign key to "{parent}"' for (child, parent), count in counts.items()
    ]


def unfit(connection: sqlite3.Connection, tables: Sequence[Table]) -> Iterator[str]:
    """See Catalog.unfit."""
    if sqlite3.sqlite_version_info < _OLDEST:
        yield f"SQLite is {sqlite3.sqlite_version}; 3.38 is the oldest that can take part"
    mode = scalar(connection, "PRAGMA journal_mode")
    if mode != "wal":
        yield (
            f'the journal mode is "{mode}", in which readers and writers wait for each other; run PRAGMA '
            "journal_mode = WAL once"
        )
    if (encoding := scalar(connection, "PRAGMA encoding")) != "UTF-8":
        yield f"the encoding is {encoding}; only UTF-8 can be compared"
    for table in tables:
        yield from _unfit_table(connection, table)


def last_numbers(connection: sqlite3.Connection, table: Table) -> dict[str, int]:
    """See Store.last_numbers. A row's number comes behind the highest one; with AUTOINCREMENT, that ever was."""
    name = unquoted(table.relation)
    column = row_number(connection, name)
    if column is None or table.where is not None:
        return {}  # of some rows both databases go on to give numbers out
    given = 0
    if autoincrement(connection, name):
        given = scalar(connection, "SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)) or 0
    return {column: max(given, scalar(connection, f"SELECT max({quoted(column)}) FROM {quoted(name)}") or 0)}


def numbers(connection: sqlite3.Connection, table: Table) -> dict[str, Numbers]:
    """See Catalog.numbers."""
    column = row_number(connection, unquoted(table.relation))
    return {} if column is None else {column: Numbers(highest=_HIGHEST)}


def autoincrement(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the table never gives out a number again."""
    statement = scalar(connection, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return re.search(r"\bAUTOINCREMENT\b", statement or "", re.IGNORECASE) is not None


def row_number(connection: sqlite3.Connection, name: str) -> str | None:
    """The column that is the row's number: a single INTEGER PRIMARY KEY of a table that has row numbers."""
    found = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    key = [(column, declared) for _, column, declared, _, _, position, _ in found if position]
    if len(key) != 1 or key[0][1].upper() != "INTEGER" or without_rowid(connection, name):
        return None
    # INTEGER PRIMARY KEY DESC is an ordinary column with an index.
    return None if any(index.primary for index in unique_indexes(connection, name)) else str(key[0][0])


def without_rowid(connection: sqlite3.Connection, name: str) -> bool:
    row = connection.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name,)).fetchone()
    return row is not None and bool(row[0])


def estimate(connection: sqlite3.Connection, table: Table) -> int:
    """See Store.estimate: from the row numbers or, without, from the statistics of the last ANALYZE."""
    name = unquoted(table.relation)
    if table.where is not None:
        return int(scalar(connection, f"SELECT count(*) FROM {table.relation} WHERE {meant(table, table.relation)}"))
    if not without_rowid(connection, name):
        first = scalar(connection, f"SELECT min(rowid) FROM {table.relation}")
        last = scalar(connection, f"SELECT max(rowid) FROM {table.relation}")
        return 0 if first is None else int(last - first + 1)
    if scalar(connection, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") is None:
        return 0
    statistics = scalar(connection, "SELECT stat FROM sqlite_stat1 WHERE tbl = ? LIMIT 1", (name,))
    return int(str(statistics).split()[0]) if statistics else 0


def scalar(connection: sqlite3.Connection, statement: str, params: Sequence[object] = ()) -> Any:
    """The first column of the first row, or None where there is no row."""
    row = connection.execute(statement, params).fetchone()
    return None if row is None else row[0]


def _columns(connection: sqlite3.Connection, name: str) -> tuple[dict[str, Column], list[str]]:
    """All columns that are copied, and the names of the primary key's in order."""
    folding = {
        column: collation
        for index in unique_indexes(connection, name)
        for column, (_, collation) in zip(index.columns, index.terms, strict=True)
        if column is not None and collation != "BINARY"
    }
    known, key = {}, {}
    for _, column, declared, _, _, position, hidden in connection.execute(
        f"PRAGMA table_xinfo({quoted(name)})"
    ).fetchall():
        if position:
            key[position] = column
        if hidden == _NORMAL:
            known[column] = _column(column, declared)
            if column in folding:
                written = f"{declared} COLLATE {folding[column]}"
                known[column] = replace(known[column], type=written, folds=True)
    return known, [key[position] for position in sorted(key)]


def _nullable(connection: sqlite3.Connection, name: str, key: list[str]) -> list[str]:
    """The key's columns that may be NULL: in SQLite a primary key alone does not forbid it."""
    if row_number(connection, name) is not None or without_rowid(connection, name):
        return []
    found = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    return [column for _, column, _, not_null, *_ in found if column in key and not not_null]


def _column(name: str, declared: str) -> Column:
    base, _, sizes = declared.lower().replace(" unsigned", "").partition("(")
    family = _FAMILIES.get(base.strip(), Family.OTHER)
    numbers = tuple(int(number) for number in re.findall(r"\d+", sizes))
    if family is Family.INTEGER:
        numbers = (64,)
    return Column(name=name, type=declared, family=family, size=numbers)


def foreign_keys(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """(table, column, referenced table) of every foreign key, by its first column."""
    for (child,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        for _, position, parent, column, *_ in connection.execute(
            f"PRAGMA foreign_key_list({quoted(child)})"
        ).fetchall():
            if position == 0:
                yield child, column, parent


def _unfit_table(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    name = unquoted(table.relation)
    others = [
        trigger
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? AND name NOT GLOB ?",
            (name, f"{TRIGGER}*"),
        )
    ]
    if others:
        yield (
            f'the trigger "{others[0]}" on "{name}" would also run for rows that are brought from the other side, '
            "which SQLite cannot prevent; do its work in the application, or drop it for the time of the move"
        )
    for index in unique_indexes(connection, name):
        for _, collation in index.terms:
            if collation not in _COLLATIONS:
                yield f'the collation "{collation}" of "{name}" is known to its application only; use a built-in one'
    try:
        connection.execute(
            f"EXPLAIN INSERT INTO {table.relation} ({columns(table.columns)}) "
            f"VALUES ({', '.join('?' * len(table.columns))})",
            [None] * len(table.columns),
        ).fetchall()
    except sqlite3.OperationalError as error:
        yield f'"{name}" cannot be written by anybody but its application ({error}); drop what needs it'
    yield from _unfit_keys(connection, table)


def _unfit_keys(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    for column in table.key:
        kind = {Family.INTEGER: "integer", Family.BOOLEAN: "integer", Family.BYTES: "blob"}.get(column.family, "text")
        found = scalar(
            connection,
            f"SELECT quote({quoted(column.name)}) FROM {table.relation} "
            f"WHERE typeof({quoted(column.name)}) <> {literal(kind)} LIMIT 1",
        )
        if found is not None:
            yield f'the key column "{column.name}" of {table.relation} holds {found}, which is no {kind}; correct it'
