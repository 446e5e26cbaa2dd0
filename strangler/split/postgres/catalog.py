"""What PostgreSQL's catalog says of tables. Everything here only reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from strangler.split.errors import SplitError
from strangler.split.numbers import Numbers
from strangler.split.postgres import wording
from strangler.split.table import Column, Family, Table

Connection: TypeAlias = psycopg.Connection[TupleRow]

_FAMILIES = {
    "boolean": Family.BOOLEAN,
    "smallint": Family.INTEGER,
    "integer": Family.INTEGER,
    "bigint": Family.INTEGER,
    "numeric": Family.DECIMAL,
    "double precision": Family.FLOAT,
    "text": Family.TEXT,
    "character varying": Family.TEXT,
    "bytea": Family.BYTES,
    "uuid": Family.UUID,
    "date": Family.DATE,
    "time without time zone": Family.TIME,
    "timestamp with time zone": Family.TIMESTAMP,
    "timestamp without time zone": Family.TIMESTAMP,
    "jsonb": Family.JSON,
    "json": Family.JSON,
}
_INTEGER_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


def describe(connection: Connection, name: str, columns: tuple[str, ...] | None = None) -> Table:
    """See Catalog.describe."""
    found = connection.execute(
        """SELECT c.oid, format('%%I.%%I', n.nspname, c.relname), c.relkind
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.oid = to_regclass(%s)""",
        (name,),
    ).fetchone()
    where = f'database "{connection.info.dbname}"'
    if found is None:
        raise SplitError(
            f'there is no table "{name}" in {where} that "{connection.info.user}" can see; migrate it first, or '
            "correct the name in the plan"
        )
    oid, relation, kind = found
    if kind not in ("r", "p"):
        raise SplitError(f'"{name}" in {where} is no table; only tables can be moved')
    if heir := scalar(
        connection,
        """SELECT coalesce(nullif(i.inhrelid, %(table)s::oid), i.inhparent)::regclass::text FROM pg_inherits i
           JOIN pg_class c ON c.oid = i.inhrelid
           WHERE %(table)s::oid IN (i.inhrelid, i.inhparent) AND NOT c.relispartition LIMIT 1""",
        {"table": oid},
    ):
        raise SplitError(
            f'table "{name}" in {where} shares rows with "{heir}" (INHERITS), whose triggers do not fire for it; '
            "take the two apart (NO INHERIT), or make them partitions"
        )
    known = {column.name: column for column in _columns(connection, oid)}
    key = [
        column
        for (column,) in connection.execute(
            """SELECT a.attname FROM pg_index i
               CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
               WHERE i.indrelid = %s AND i.indisprimary AND k.position <= i.indnkeyatts ORDER BY k.position""",
            (oid,),
        )
    ]
    if not key:
        raise SplitError(f'table "{name}" in {where} has no primary key; give it one, rows cannot be followed without')
    wanted = columns or tuple(known)
    missing = [column for column in (*wanted, *key) if column not in known]
    if missing:
        raise SplitError(f'table "{name}" in {where} has no column "{missing[0]}"; correct the plan or migrate')
    if left_out := [column for column in key if column not in wanted]:
        raise SplitError(f'the columns of "{name}" leave out "{left_out[0]}" of its primary key; add it to the plan')
    return Table(
        name=name,
        relation=relation,
        columns=tuple(known[column] for column in wanted),
        key=tuple(known[column] for column in key),
    )


def shape(connection: Connection, tables: Iterable[Table]) -> str:
    """See Catalog.shape. A partition that was detached for a while is another one: nobody followed it meanwhile."""
    found = connection.execute(
        """WITH RECURSIVE parts AS (
               SELECT i.inhrelid, i.inhparent, i.xmin FROM pg_inherits i WHERE i.inhparent = ANY(%(tables)s::regclass[])
               UNION ALL
               SELECT i.inhrelid, i.inhparent, i.xmin FROM pg_inherits i JOIN parts p ON i.inhparent = p.inhrelid)
           SELECT (SELECT string_agg(format('%%s %%s %%s %%s', attrelid::regclass, attname, atttypid, atttypmod), ','
                                     ORDER BY attrelid::regclass::text, attnum)
                   FROM pg_attribute
                   WHERE attrelid = ANY(%(tables)s::regclass[]) AND attnum > 0 AND NOT attisdropped
                     AND attgenerated = ''),
                  (SELECT string_agg(format('%%s %%s %%s', inhrelid, inhparent, xmin), ',' ORDER BY inhrelid)
                   FROM parts)""",
        {"tables": [table.relation for table in tables]},
    ).fetchone()
    return hashlib.sha256(str(found).encode()).hexdigest()[:16]


def crossing_keys(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.crossing_keys."""
    rows = connection.execute(
        """SELECT conname, conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
           WHERE contype = 'f' AND conparentid = 0
             AND (coalesce(pg_partition_root(conrelid), conrelid) = ANY(%(moved)s::regclass[]))
              <> (coalesce(pg_partition_root(confrelid), confrelid) = ANY(%(moved)s::regclass[]))
           ORDER BY conname""",
        {"moved": [table.relation for table in tables]},
    ).fetchall()
    return [
        f'the foreign key "{name}" still ties "{table}" to "{other}"; cut it first (CutForeignKey)'
        for name, table, other in rows
    ]


def orphans(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.orphans."""
    moved = [table.relation for table in tables]
    keys = connection.execute(
        """SELECT conname, conrelid::regclass::text, confrelid::regclass::text,
                  (SELECT array_agg(attname::text ORDER BY k.position)
                   FROM unnest(conkey) WITH ORDINALITY k(attnum, position)
                   JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum),
                  (SELECT array_agg(attname::text ORDER BY k.position)
                   FROM unnest(confkey) WITH ORDINALITY k(attnum, position)
                   JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.attnum)
           FROM pg_constraint
           WHERE contype = 'f' AND conparentid = 0
             AND coalesce(pg_partition_root(conrelid), conrelid) = ANY(%(moved)s::regclass[])
             AND coalesce(pg_partition_root(confrelid), confrelid) = ANY(%(moved)s::regclass[])
           ORDER BY conname""",
        {"moved": moved},
    ).fetchall()
    found = []
    for name, child, parent, mine, theirs in keys:
        joined = sql.SQL(" AND ").join(
            sql.SQL("p.{} = c.{}").format(sql.Identifier(right), sql.Identifier(left))
            for left, right in zip(mine, theirs, strict=True)
        )
        present = sql.SQL(" AND ").join(sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(left)) for left in mine)
        count = scalar(
            connection,
            sql.SQL("SELECT count(*) FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})").format(
                wording.raw(child), present, wording.raw(parent), joined
            ),
        )
        if count:
            found.append(f'{count:,} rows of "{child}" violate the foreign key "{name}"')
    return found


def last_numbers(connection: Connection, table: Table) -> dict[str, int]:
    """See Store.last_numbers."""
    if table.where is not None:
        return {}  # both databases go on to give numbers out, each from a range of its own
    rows = connection.execute(
        """SELECT attname::text, pg_sequence_last_value(pg_get_serial_sequence(%(table)s, attname)::regclass)
           FROM pg_attribute
           WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped
             AND pg_get_serial_sequence(%(table)s, attname) IS NOT NULL""",
        {"table": table.relation},
    ).fetchall()
    return {column: int(number or 0) for column, number in rows}


def numbers(connection: Connection, table: Table) -> dict[str, Numbers]:
    """See Catalog.numbers."""
    rows = connection.execute(
        """SELECT attname::text, seqmin, seqmax FROM pg_attribute
           JOIN pg_sequence ON seqrelid = pg_get_serial_sequence(%(table)s, attname)::regclass
           WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped""",
        {"table": table.relation},
    ).fetchall()
    return {column: Numbers(lowest=lowest, highest=highest) for column, lowest, highest in rows}


def old_writers(connection: Connection, tables: Sequence[Table], seconds: float) -> str | None:
    """See Store.old_writers."""
    found = scalar(
        connection,
        """SELECT format('process %%s of "%%s", %%s s', pid, usename,
                         round(extract(epoch FROM clock_timestamp() - xact_start)))
           FROM pg_stat_activity a
           WHERE pid <> pg_backend_pid() AND xact_start < clock_timestamp() - make_interval(secs => %s)
             AND EXISTS (SELECT FROM pg_locks l
                         WHERE l.pid = a.pid AND l.granted
                           AND coalesce(pg_partition_root(l.relation), l.relation) = ANY(%s::regclass[])
                           AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                                          'ShareUpdateExclusiveLock', 'ShareLock', 'AccessExclusiveLock'))
             AND a.backend_type <> 'autovacuum worker'
           ORDER BY xact_start LIMIT 1""",
        (seconds, [table.relation for table in tables]),
    )
    return None if found is None else str(found)


def scalar(
    connection: Connection, query: LiteralString | sql.Composed, params: Sequence[Any] | Mapping[str, Any] = ()
) -> Any:
    """The first column of the only row of "query", or None where there is no row."""
    # Without parameters a per cent sign in the text is one.
    row = connection.execute(query, params or None).fetchone()
    return None if row is None else row[0]


def _columns(connection: Connection, oid: int) -> Iterator[Column]:
    for name, written, base, modifier, folds in connection.execute(
        """SELECT attname, format_type(atttypid, atttypmod), format_type(atttypid, NULL), atttypmod,
                  EXISTS (SELECT FROM pg_index i JOIN pg_collation c ON c.oid = ANY(i.indcollation)
                          WHERE i.indrelid = attrelid AND i.indisunique AND attnum = ANY(i.indkey)
                            AND NOT c.collisdeterministic)
           FROM pg_attribute
           WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
        (oid,),
    ).fetchall():
        yield Column(
            name=name,
            type=written,
            family=_FAMILIES.get(base, Family.OTHER),
            size=_size(base, int(modifier)),
            folds=folds,
        )


def _size(base: str, modifier: int) -> tuple[int, ...]:
    if base in _INTEGER_BITS:
        return (_INTEGER_BITS[base],)
    if base.startswith("time"):
        return (modifier,) if modifier >= 0 else ()
    if modifier < 4:
        return ()
    if base == "numeric":
        return ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
    return (modifier - 4,) if base == "character varying" else ()
