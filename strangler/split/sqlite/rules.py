"""What SQLite enforces for those who write a table; see strangler.split.rules. All of it only reads.

Checks are not among it: they stand in the text of CREATE TABLE alone. Nobody has privileges here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby

from strangler.split.rules import Kind, Rule, foreign_key, unique
from strangler.split.sqlite.wording import quoted, unquoted
from strangler.split.table import Table

_GENERATED = (2, 3)


def rules(connection: sqlite3.Connection, tables: Sequence[Table]) -> Iterator[Rule]:
    """See Catalog.rules."""
    by_name = {unquoted(table.relation).lower(): table for table in tables}
    for table in tables:
        yield from _columns(connection, table)
        yield from _indexes(connection, table)
        yield from _foreign_keys(connection, table, by_name)
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) "
            "AND name NOT LIKE 'strangler\\_%' ESCAPE '\\'",
            (unquoted(table.relation),),
        ).fetchall():
            yield Rule(table=table.name, kind=Kind.TRIGGER, text=name)


def _columns(connection: sqlite3.Connection, table: Table) -> Iterator[Rule]:
    taken = {column.name for column in table.columns}
    for _, name, _, not_null, default, key, hidden in connection.execute(
        f"PRAGMA table_xinfo({table.relation})"
    ).fetchall():
        if hidden in _GENERATED:
            yield Rule(table=table.name, kind=Kind.GENERATED, text=f'"{name}"')
        if name in taken and not_null and not key:
            yield Rule(table=table.name, kind=Kind.NOT_NULL, text=f'of "{name}"', common=f'of "{name}"')
        if name in taken and default is not None:
            yield Rule(table=table.name, kind=Kind.DEFAULT, text=f'of "{name}": {default}')


def _indexes(connection: sqlite3.Connection, table: Table) -> Iterator[Rule]:
    for _, name, is_unique, origin, partial in connection.execute(f"PRAGMA index_list({table.relation})").fetchall():
        if origin == "pk":
            continue
        parts = [
            (column, f'"{column}"{"" if collation == "BINARY" else f" {collation}"}{" DESC" if descending else ""}')
            for _, _, column, descending, collation, in_key in connection.execute(
                f"PRAGMA index_xinfo({quoted(name)})"
            ).fetchall()
            if in_key
        ]
        text = f"({', '.join(part for _, part in parts)})"
        common = unique(str(column) for column, _ in parts) if is_unique else ""
        if partial or any(column is None for column, _ in parts):
            (made,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
            text, common = " ".join(made[made.index("(") :].split()), ""
        yield Rule(table=table.name, kind=Kind.UNIQUE if is_unique else Kind.INDEX, text=text, common=common)


def _foreign_keys(connection: sqlite3.Connection, table: Table, tables: dict[str, Table]) -> Iterator[Rule]:
    found = connection.execute(f"PRAGMA foreign_key_list({table.relation})").fetchall()
    for _, group in groupby(sorted(found), lambda row: row[0]):
        columns = list(group)
        _, _, parent, _, _, on_update, on_delete, _ = columns[0]
        if parent.lower() not in tables:
            continue
        other = tables[parent.lower()]
        mine = [row[3] for row in columns]
        # Without columns of its own it leads to the key.
        theirs = [row[4] or other.key[number].name for number, row in enumerate(columns)]
        text = f"({_listed(mine)}) to {other.name} ({_listed(theirs)}) ON UPDATE {on_update} ON DELETE {on_delete}"
        common = foreign_key(mine, other.name, theirs)
        yield Rule(table=table.name, kind=Kind.FOREIGN_KEY, text=text, common=common)


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
