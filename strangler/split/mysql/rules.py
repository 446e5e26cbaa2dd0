"""What MySQL and MariaDB enforce and do for those who write a table; see strangler.split.rules. All of it only reads.

Privileges are not among it: who may see those of others is a matter of privileges itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from strangler.split.mysql.catalog import bare, is_mariadb, query
from strangler.split.mysql.wording import Connection
from strangler.split.rules import Kind, Rule, foreign_key, unique
from strangler.split.table import Table

_COLUMNS = """
    SELECT COLUMN_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, GENERATION_EXPRESSION, COLUMN_KEY
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s
"""
_INDEXES = """
    SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND INDEX_NAME <> 'PRIMARY'
    ORDER BY INDEX_NAME, SEQ_IN_INDEX
"""
_FOREIGN_KEYS = """
    SELECT k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME, k.REFERENCED_TABLE_NAME,
           r.UPDATE_RULE, r.DELETE_RULE
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
      AND r.TABLE_NAME = k.TABLE_NAME
    WHERE k.CONSTRAINT_SCHEMA = DATABASE() AND k.TABLE_NAME = %s ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION
"""
_MARIADB_CHECKS = """
    SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
    WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s AND CHECK_CLAUSE NOT LIKE 'json_valid(`%%`)'
"""
_MYSQL_CHECKS = """
    SELECT c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t
      ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
    WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND t.TABLE_NAME = %s
"""
_TRIGGERS = """
    SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = %s AND LEFT(TRIGGER_NAME, 10) <> 'strangler_'
"""


def rules(connection: Connection, tables: Sequence[Table]) -> Iterator[Rule]:
    """See Catalog.rules."""
    names = {bare(table): table.name for table in tables}
    checks = _MARIADB_CHECKS if is_mariadb(connection) else _MYSQL_CHECKS
    for table in tables:
        yield from _columns(connection, table)
        for name, parts in _grouped(query(connection, _INDEXES, (bare(table),))):
            kind = Kind.INDEX if parts[0][1] else Kind.UNIQUE
            columns = ", ".join(_part(*part[2:]) for part in parts)
            # Of an index over whole columns.
            whole = kind is Kind.UNIQUE and all(column and length is None for _, _, column, length, _ in parts)
            common = unique(str(part[2]) for part in parts) if whole else ""
            yield Rule(table=table.name, kind=kind, text=f"({columns or name})", common=common)
        for _, parts in _grouped(query(connection, _FOREIGN_KEYS, (bare(table),))):
            _, _, _, parent, on_update, on_delete = parts[0]
            if parent in names:
                mine, theirs = (", ".join(f'"{part[place]}"' for part in parts) for place in (1, 2))
                text = f"({mine}) to {names[parent]} ({theirs}) ON UPDATE {on_update} ON DELETE {on_delete}"
                common = foreign_key([part[1] for part in parts], names[parent], [part[2] for part in parts])
                yield Rule(table=table.name, kind=Kind.FOREIGN_KEY, text=text, common=common)
        for statement, kind in ((checks, Kind.CHECK), (_TRIGGERS, Kind.TRIGGER)):
            for (text,) in query(connection, statement, (bare(table),)):
                yield Rule(table=table.name, kind=kind, text=text)


def _columns(connection: Connection, table: Table) -> Iterator[Rule]:
    taken = {column.name for column in table.columns}
    for name, nullable, default, extra, expression, key in query(connection, _COLUMNS, (bare(table),)):
        if expression:
            yield Rule(table=table.name, kind=Kind.GENERATED, text=f'of "{name}": {expression}')
        if name not in taken:
            continue
        if nullable == "NO" and key != "PRI":
            yield Rule(table=table.name, kind=Kind.NOT_NULL, text=f'of "{name}"', common=f'of "{name}"')
        # MariaDB writes the absence of a default as the word.
        given = " ".join(filter(None, ("" if default in (None, "NULL") else default, extra.lower())))
        if given and not expression:
            yield Rule(table=table.name, kind=Kind.DEFAULT, text=f'of "{name}": {given}')


def _grouped(rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    for name, group in groupby(rows, lambda row: row[0]):
        yield str(name), list(group)


def _part(column: str | None, length: int | None, order: str | None) -> str:
    return f'"{column or "expression"}"{"" if length is None else f"({length})"}{" DESC" if order == "D" else ""}'
