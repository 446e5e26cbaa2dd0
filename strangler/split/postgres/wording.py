"""How tables, columns and keys are written in PostgreSQL's SQL."""

from __future__ import annotations

import re
from typing import LiteralString

from psycopg import sql

from strangler.split.table import Column, Family, Key, KeyRange, Selection, Table

ROW = "strangler_row"
"""The row in Table.where, which PostgreSQL has written with every column of it qualified."""


def relation(table: Table) -> sql.SQL:
    return raw(table.relation)


def schema(table: Table) -> sql.SQL:
    found = re.match(r'("(?:[^"]|"")+"|[^".]+)\.', table.relation)
    assert found, table.relation  # the catalog has qualified it
    return raw(found[1])


def raw(text: str) -> sql.SQL:
    """For names and types that the catalog itself has quoted, and for nothing else."""
    return sql.SQL(text)


def columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)


def qualified(alias: LiteralString, of: tuple[Column, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(alias + ".") + sql.Identifier(column.name) for column in of)


def key_text(alias: LiteralString, table: Table) -> sql.Composed:
    """The key of the row "alias" as table.key_from_text reads it."""
    return sql.SQL("pg_catalog.jsonb_build_array({})::text").format(
        sql.SQL(", ").join(
            sql.SQL("pg_catalog.encode({}.{}, 'hex')" if column.family is Family.BYTES else "{}.{}").format(
                sql.SQL(alias), sql.Identifier(column.name)
            )
            for column in table.key
        )
    )


def rows_of(table: Table, selection: Selection) -> sql.Composed:
    """A FROM item and condition, "t ...", for the rows of the selection."""
    if isinstance(selection, KeyRange):
        return sql.SQL("{} t WHERE {}").format(relation(table), within(table, selection))
    return sql.SQL("{} t JOIN {} ON {}").format(relation(table), wanted(table, selection), matches(table))


def wanted(table: Table, keys: tuple[Key, ...]) -> sql.Composed:
    """A FROM item "wanted" with the table's key columns."""
    names = [sql.SQL(f"c{number}") for number in range(len(table.key))]
    return sql.SQL("(SELECT DISTINCT {} FROM ROWS FROM ({}) k({})) wanted").format(
        sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(_from_text(column, name), sql.Identifier(column.name))
            for column, name in zip(table.key, names, strict=True)
        ),
        sql.SQL(", ").join(
            sql.SQL("pg_catalog.unnest({}::text[])").format(sql.Literal([key[number] for key in keys]))
            for number in range(len(table.key))
        ),
        sql.SQL(", ").join(names),
    )


def within(table: Table, keys: KeyRange) -> sql.Composed:
    """A condition: the row called "t" has a key in the range, and is one that is meant."""
    key = qualified("t", table.key)
    parts = [
        sql.SQL("({}) {} ({})").format(
            key,
            sql.SQL(operator),
            sql.SQL(", ").join(
                _from_text(column, sql.Literal(value)) for column, value in zip(table.key, bound, strict=True)
            ),
        )
        for operator, bound in ((">", keys.after), ("<=", keys.upto))
        if bound is not None
    ]
    return sql.SQL(" AND ").join([*parts, meant(table, "t")])


def matches(table: Table) -> sql.Composed:
    """A condition: the row called "t" has the key of "wanted", and is one that is meant."""
    keys = sql.SQL(" AND ").join(
        sql.SQL("t.{0} = wanted.{0}").format(sql.Identifier(column.name)) for column in table.key
    )
    return keys if table.where is None else sql.SQL("{} AND {}").format(keys, meant(table, "t"))


def meant(table: Table, alias: LiteralString) -> sql.SQL:
    """A condition: the row "alias" is one that is meant. True where all are; it may be NULL for one that is not."""
    return raw("true" if table.where is None else table.where.replace(f"{ROW}.", f"{alias}."))


def _from_text(column: Column, value: sql.Composable) -> sql.Composed:
    if column.family is Family.BYTES:
        return sql.SQL("pg_catalog.decode({}, 'hex')").format(value)
    return sql.SQL("{}::{}").format(value, raw(column.type))
