"""A condition over a table's rows: PostgreSQL itself checks it, and writes it out with every column qualified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import LiteralString

import psycopg
from psycopg import sql

from strangler.split.errors import Refused
from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection, scalar
from strangler.split.table import Key, Table


def only(connection: Connection, table: Table, where: str) -> Table:
    """See Catalog.only."""
    given = f'the condition "{where}" on table "{table}"'
    if wording.ROW in where:
        raise Refused(f'{given} names "{wording.ROW}", which the toolkit needs for itself; write it without')
    if scalar(connection, "SELECT relkind FROM pg_class WHERE oid = %s::regclass", (table.relation,)) == "p":
        raise Refused(
            f'"{table}" is partitioned, and rows of such tables cannot be fenced by a condition; move it whole'
        )
    try:
        return replace(table, where=_written_out(connection, table, where))
    except psycopg.DatabaseError as error:
        said = str(error).splitlines()[0]
        raise Refused(
            f"{given} is refused by the database: {said}; write one over the row's own columns, without their table's "
            "name, that always holds or never for the same row"
        ) from error


def _written_out(connection: Connection, table: Table, where: str) -> str:
    """The condition as PostgreSQL prints it. Leaves nothing behind."""
    with connection.transaction(force_rollback=True):
        connection.execute(
            sql.SQL("CREATE TEMP TABLE strangler_shape (LIKE {})").format(wording.relation(table)),
        )
        # What an index may have as its condition is what we need: immutable, no query in it, this table's columns only.
        _one(connection, "CREATE INDEX ON pg_temp.strangler_shape ((1)) WHERE (", where)
        # In a view of two tables every column is printed with the name of its own.
        _one(
            connection,
            f"CREATE TEMP VIEW strangler_shown AS SELECT FROM strangler_shape {wording.ROW}, (SELECT) other WHERE (",
            where,
        )
        connection.execute("SET LOCAL search_path = pg_catalog")
        shown = str(scalar(connection, "SELECT pg_get_viewdef('pg_temp.strangler_shown'::regclass)"))
    return f"({shown.partition('WHERE ')[2].removesuffix(';')})"


def _one(connection: Connection, before: str, where: str) -> None:
    # The extended protocol takes one statement only; a comment in the condition ends with its line.
    connection.execute(f"{before}{where}\n)".encode(), binary=True)


def straddling(
    connection: Connection, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None
) -> Iterator[str]:
    """See Store.straddling."""
    by_relation = {_oid(connection, table): table for table in tables}
    found = connection.execute(_KEYS, {"tables": list(by_relation)}).fetchall()
    for name, child, parent, columns, referenced in found:
        mine, theirs = by_relation[child], by_relation[parent]
        if mine.where is None and theirs.where is None:
            continue
        among = [sql.SQL("")] if keys is None else [*_among("c", mine, keys), *_among("p", theirs, keys)]
        if not among:
            continue
        joined = sql.SQL(" AND ").join(
            sql.SQL("c.{} = p.{}").format(sql.Identifier(column), sql.Identifier(other))
            for column, other in zip(columns, referenced, strict=True)
        )
        # Two questions, so that each can begin with the few rows that are meant.
        for one, said, other, ends in (
            ("c", "point at", "p", (mine, theirs)),
            ("p", "are pointed at by", "c", (theirs, mine)),
        ):
            pairs = sql.SQL(" UNION ").join(
                sql.SQL("SELECT c.ctid, p.ctid FROM {} c JOIN {} p ON {}{} WHERE {} AND ({}) IS NOT TRUE").format(
                    wording.relation(mine),
                    wording.relation(theirs),
                    joined,
                    some,
                    wording.meant(ends[0], one),
                    wording.meant(ends[1], other),
                )
                for some in among
            )
            if count := scalar(connection, sql.SQL("SELECT count(*) FROM ({}) tied").format(pairs)):
                yield (
                    f'{count:,} rows of "{ends[0]}" that move {said} rows of "{ends[1]}" that do not (foreign key '
                    f'"{name}"); correct the rows, or the conditions'
                )


def _among(alias: LiteralString, table: Table, keys: Mapping[str, Sequence[Key]]) -> Iterator[sql.Composed]:
    """A join with those of the table's keys, if there are any: the row "alias" has one of them."""
    if wanted := tuple(keys.get(table.name, ())):
        columns = (sql.SQL(alias + ".{0} = wanted.{0}").format(sql.Identifier(column.name)) for column in table.key)
        yield sql.SQL(" JOIN {} ON {}").format(wording.wanted(table, wanted), sql.SQL(" AND ").join(columns))


_KEYS = """
    SELECT conname, conrelid, confrelid,
           (SELECT array_agg(attname::text ORDER BY k.position) FROM unnest(conkey) WITH ORDINALITY k(attnum, position)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum),
           (SELECT array_agg(attname::text ORDER BY k.position) FROM unnest(confkey) WITH ORDINALITY k(attnum, position)
            JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.attnum)
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(%(tables)s) AND confrelid = ANY(%(tables)s)
    ORDER BY conname
"""


def _oid(connection: Connection, table: Table) -> int:
    return int(scalar(connection, "SELECT %s::regclass::oid", (table.relation,)))
