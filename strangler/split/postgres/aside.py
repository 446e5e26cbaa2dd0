"""Indexes are made faster once the rows are there: dropped when a move is set up, made again after its copy.

What makes each stands in strangler.set_aside, from the transaction that drops it to the one that makes it again. The
primary key stays: rows are found by it. So does what a definition would not bring back as it was, and what a foreign
key needs; foreign keys themselves cost a copy nothing, since the applier's changes do not fire them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import sql

from strangler.split.postgres.catalog import Connection
from strangler.split.table import Table

NAMES = "SELECT relation FROM strangler.set_aside WHERE move = %s ORDER BY number"
_REPLACEABLE = """
    SELECT format('%%I.%%I', n.nspname, r.relname), format('%%I.%%I', n.nspname, t.relname), c.conname,
           CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
                ELSE format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', n.nspname, t.relname, c.conname,
                            pg_get_constraintdef(c.oid)) END
    FROM pg_index i
    JOIN pg_class r ON r.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('u', 'x')
    WHERE i.indrelid = ANY(%s::regclass[])
      AND NOT i.indisprimary AND i.indisvalid AND NOT i.indisexclusion
      AND t.relkind = 'r' AND NOT t.relispartition
      AND NOT i.indisclustered AND NOT i.indisreplident AND r.reltablespace = 0
      AND obj_description(r.oid, 'pg_class') IS NULL
      AND (c.oid IS NULL OR obj_description(c.oid, 'pg_constraint') IS NULL)
      AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attstattarget > 0)
    ORDER BY i.indrelid, i.indexrelid
"""


def drop(connection: Connection, move: str, tables: Sequence[Table]) -> Iterator[sql.Composed]:
    """See Store.set_aside."""
    found = connection.execute(_REPLACEABLE, ([table.relation for table in tables],)).fetchall()
    for index, table, constraint, definition in found:
        yield sql.SQL("INSERT INTO strangler.set_aside (move, relation, definition) VALUES ({}, {}, {})").format(
            sql.Literal(move), sql.Literal(index), sql.Literal(definition)
        )
        if constraint is None:
            yield sql.SQL("DROP INDEX {}").format(sql.SQL(index))
        else:
            yield sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(constraint))


def put_back(connection: Connection, move: str) -> None:
    """See Store.put_back."""
    found = connection.execute(
        "SELECT number, relation, definition FROM strangler.set_aside WHERE move = %s ORDER BY number LIMIT 1", (move,)
    ).fetchone()
    if found is None:
        return
    number, index, definition = found
    # Somebody may have made it by hand.
    if connection.execute("SELECT to_regclass(%s)", (index,)).fetchone() == (None,):
        connection.execute(sql.SQL(definition))
    connection.execute("DELETE FROM strangler.set_aside WHERE move = %s AND number = %s", (move, number))
