"""Tables of SQLite as files, and their end; see strangler.split.archive.

Any column may hold anything, so the fields say what they are: see strangler.split.fields. Bytes are written x'00ff'.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from math import isinf

from strangler.split import fields
from strangler.split.archive import sha256
from strangler.split.errors import Refused, translating
from strangler.split.sqlite import catalog, rows
from strangler.split.sqlite.errors import translated
from strangler.split.sqlite.wording import columns, literal, meant, quoted, unquoted
from strangler.split.store import Archives
from strangler.split.table import Table

_LINES = 1_000
_INFINITE = "9e999"


@translating(translated)
class SqliteArchives(Archives):
    """See Archives."""

    connection: sqlite3.Connection

    def script(self, table: Table, data: str) -> tuple[list[str], list[str]]:
        """See Archives.script."""
        name = unquoted(table.relation)
        made = catalog.scalar(
            self.connection, "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)
        )
        indexes = self.connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY name",
            (name,),
        )
        filled = [f"{statement};" for (statement,) in indexes.fetchall()]
        if catalog.autoincrement(self.connection, name):
            given = catalog.scalar(self.connection, "SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)) or 0
            filled += [
                f"DELETE FROM sqlite_sequence WHERE name = {literal(name)};",
                f"INSERT INTO sqlite_sequence (name, seq) VALUES ({literal(name)}, {given});",
            ]
        comment = (
            f"-- filled from {data}, columns {columns(table.columns)}: a text has double quotes, which are doubled "
            "in it; numbers, bytes (x'00ff') and NULL have none"
        )
        return [f"{made};", comment], filled

    def csv(self, table: Table) -> Iterator[bytes]:
        """See Archives.csv."""
        return _csv(self.connection, table)

    def given_back(self, table: Table, making: str, filled: str, data: Iterable[bytes]) -> tuple[int, str]:
        """See Archives.given_back: in a database of its own, which is gone with its connection."""
        with closing(sqlite3.connect("", isolation_level=None)) as apart:
            apart.execute("BEGIN")
            apart.execute(making)
            count = rows.write(apart, table, (tuple(map(_value, line)) for line in fields.read(data)))
            for statement in filled.split(";\n"):
                apart.execute(statement)
            return count, sha256(_csv(apart, table))

    @contextmanager
    def dropping(self, move: str, tables: Sequence[Table]) -> Iterator[None]:
        """See Archives.dropping."""
        names = {unquoted(table.relation).lower() for table in tables}
        with self.transaction():
            whole = _sound(self.connection, names, "before")
            yield
            if keys := catalog.crossing_keys(self.connection, tables):
                raise Refused(f"the tables cannot be dropped: {keys[0]}")
            for table in tables:
                self.connection.execute(f"DROP TABLE {table.relation}")
            if needing := sorted(whole - _sound(self.connection, names, "after")):
                raise Refused(f'the tables cannot be dropped: "{needing[0]}" needs them; take that away first')


def _csv(connection: sqlite3.Connection, table: Table) -> Iterator[bytes]:
    yield fields.header(column.name for column in table.columns)
    found = connection.execute(
        f"SELECT {columns(table.columns)} FROM {table.relation} WHERE {meant(table, table.relation)} "
        f"ORDER BY {columns(table.key)}"
    )
    while some := found.fetchmany(_LINES):
        yield "".join(",".join(map(_written, row)) + "\n" for row in some).encode()


def _sound(connection: sqlite3.Connection, but: set[str], when: str) -> set[str]:
    """The views, and the tables with triggers, that can be read and written.

    The driver keeps statements, and a kept EXPLAIN does not look at the schema again: "when" tells them apart.
    """
    found = set()
    for kind, name in connection.execute(
        "SELECT 'view', name FROM sqlite_master WHERE type = 'view' UNION "
        "SELECT 'table', tbl_name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        if name.lower() in but:
            continue
        statements = [f"SELECT * FROM {quoted(name)}"]
        if kind == "table":
            statements += [f"INSERT INTO {quoted(name)} DEFAULT VALUES", f"DELETE FROM {quoted(name)}"]
            there = connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
            statements += [
                f"UPDATE {quoted(name)} SET {quoted(column)} = 1" for _, column, *_, hidden in there if not hidden
            ]
        with suppress(sqlite3.Error):
            for statement in statements:
                connection.execute(f"EXPLAIN /* {when} */ {statement}").fetchall()
            found.add(name)
    return found


def _written(value: object) -> str:
    match value:
        case None:
            return fields.NULL
        case bytes():
            return f"x'{value.hex()}'"
        case float() if isinf(value):
            return _INFINITE if value > 0 else f"-{_INFINITE}"
        case str():
            return fields.quoted(value)
        case number:
            return repr(number)


def _value(field: fields.Field) -> object:
    written = field.written
    if field.quoted:
        return written
    if field.missing:
        return None
    if written.startswith("x'"):
        return bytes.fromhex(written[2:-1])
    return float(written) if any(sign in written for sign in ".en") else int(written)
