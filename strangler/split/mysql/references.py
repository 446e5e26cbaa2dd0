"""Foreign keys of MySQL and MariaDB, and the rows that they tie. Everything here only reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strangler.split.mysql import wording
from strangler.split.mysql.catalog import GUARD, bare, query, scalar
from strangler.split.mysql.wording import Connection
from strangler.split.table import Table


def crossing_keys(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.crossing_keys."""
    moved = {bare(table) for table in tables}
    return [
        f'the foreign key "{name}" still ties "{child}" to "{parent}"; cut it first (CutForeignKey)'
        for name, child, parent, _, _ in foreign_keys(connection)
        if (child in moved) != (parent in moved)
    ]


def cascades(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Foreign keys by which the server itself changes rows of the tables: no trigger sees that. Read-only."""
    children = {bare(table) for table in tables}
    return [
        f'the foreign key "{name}" changes rows of "{child}" by ON {event} {rule}, which fires no trigger, so that '
        "neither fence nor capture would see it; make it ON " + event + " RESTRICT"
        for name, child, _, on_delete, on_update in foreign_keys(connection)
        for event, rule in (("DELETE", on_delete), ("UPDATE", on_update))
        if child in children and rule not in ("RESTRICT", "NO ACTION")
    ]


def orphans(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.orphans."""
    moved = {bare(table) for table in tables}
    found = []
    for name, child, parent, _, _ in foreign_keys(connection):
        if child not in moved or parent not in moved:
            continue
        pairs = [
            (wording.identifier(mine), wording.identifier(theirs)) for mine, theirs in joined(connection, child, name)
        ]
        present = " AND ".join(f"c.{mine} IS NOT NULL" for mine, _ in pairs)
        tied = " AND ".join(f"p.{theirs} = c.{mine}" for mine, theirs in pairs)
        count = scalar(
            connection,
            f"SELECT COUNT(*) FROM {wording.identifier(child)} c WHERE {present} "
            f"AND NOT EXISTS (SELECT 1 FROM {wording.identifier(parent)} p WHERE {tied})",
        )
        if count:
            found.append(f'{count:,} rows of "{child}" violate the foreign key "{name}"')
    return found


def joined(connection: Connection, child: str, name: str) -> list[tuple[Any, ...]]:
    """The columns of a foreign key: (its table's, the referenced one's)."""
    return query(
        connection,
        "SELECT COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
        "WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s AND CONSTRAINT_NAME = %s "
        "ORDER BY ORDINAL_POSITION",
        (child, name),
    )


def foreign_keys(connection: Connection) -> list[tuple[Any, ...]]:
    """(name, table, referenced table, delete rule, update rule) of foreign keys, but not of our own.

    Tables of other databases, which may lead into this one or be led to, bear the database's name.
    """
    return query(
        connection,
        "SELECT CONSTRAINT_NAME, "
        "IF(CONSTRAINT_SCHEMA = DATABASE(), TABLE_NAME, CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME)), "
        "IF(UNIQUE_CONSTRAINT_SCHEMA = DATABASE(), REFERENCED_TABLE_NAME, "
        "CONCAT(UNIQUE_CONSTRAINT_SCHEMA, '.', REFERENCED_TABLE_NAME)), DELETE_RULE, UPDATE_RULE "
        "FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE DATABASE() IN (CONSTRAINT_SCHEMA, UNIQUE_CONSTRAINT_SCHEMA) "
        "AND LEFT(TABLE_NAME, %s) <> %s ORDER BY CONSTRAINT_NAME",
        (len(GUARD), GUARD),
    )
