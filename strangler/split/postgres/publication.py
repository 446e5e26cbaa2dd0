"""What has to be set up, and to be so, for PostgreSQL's own log to tell of a move's changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from psycopg import sql

from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection, scalar
from strangler.split.spec import Capture, MoveSpec
from strangler.split.table import Table

_INSTEAD = f'or capture by "{Capture.TRIGGERS}"'


def slot_name(connection: Connection, spec: MoveSpec) -> str:
    """The name of the move's slot and publication; slots belong to the server, so it is of the database too."""
    digest = hashlib.sha256(f"{spec.name}/{connection.info.dbname}".encode()).hexdigest()
    return f"strangler_{digest[:16]}"


def create(connection: Connection, spec: MoveSpec, captured: Sequence[Table]) -> Iterator[sql.Composed]:
    """The statements of Store.set_up; WalLog.start makes the slot, outside of their transaction."""
    name = slot_name(connection, spec)
    tables = sql.SQL(", ").join(map(wording.relation, captured))
    yield sql.SQL("CREATE PUBLICATION {}").format(sql.Identifier(name)) + (
        sql.SQL(" FOR TABLE {}").format(tables) if captured else sql.SQL("")
    )
    yield sql.SQL("INSERT INTO strangler.slots (move, slot) VALUES ({}, {})").format(
        sql.Literal(spec.name), sql.Literal(name)
    )


def unfit(connection: Connection, captured: Sequence[Table]) -> Iterator[str]:
    """See Store.log_unfit."""
    level, free, keep = connection.execute(
        """SELECT current_setting('wal_level'),
                  current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
                  current_setting('max_slot_wal_keep_size')"""
    ).fetchall()[0]
    yield from unready(level, free, keep)
    user = connection.info.user
    if not scalar(connection, "SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user"):
        yield f'the user "{user}" may not make a replication slot; ALTER ROLE it REPLICATION, {_INSTEAD}'
    if not scalar(connection, "SELECT has_database_privilege(current_database(), 'CREATE')"):
        yield f'the user "{user}" may not make a publication; GRANT CREATE on the database, {_INSTEAD}'
    for table in captured:
        if table.where is not None:
            yield f'the log does not tell rows of "{table}" by a condition; capture by "{Capture.TRIGGERS}"'
        yield from _silent(connection, table)


def unready(level: str, free: int, keep: str) -> Iterator[str]:
    """Why a server is not set up for its log to be read: its level, free slots, and how much it keeps for one. Pure."""
    if level != "logical":
        yield f"wal_level is {level}; set it to logical and restart the server, {_INSTEAD}"
    if free <= 0:
        yield f"no replication slot is free; raise max_replication_slots, {_INSTEAD}"
    if keep == "-1":
        yield (
            "max_slot_wal_keep_size is not set, so a slot that nobody reads would fill the disk; set it to what there "
            f"is room for, {_INSTEAD}"
        )


def faults(connection: Connection, spec: MoveSpec, captured: Sequence[Table]) -> Iterator[str]:
    """See Store.guard_faults, for captures."""
    row = connection.execute(
        """SELECT s.position IS NOT NULL, p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate,
                  ARRAY(SELECT r.prrelid::regclass::oid::bigint FROM pg_publication_rel r WHERE r.prpubid = p.oid)
           FROM strangler.slots s LEFT JOIN pg_publication p ON p.pubname = s.slot WHERE s.move = %s""",
        (spec.name,),
    ).fetchone()
    started, complete, published = row or (False, False, [])
    if not started:
        yield "the log is not followed yet; run the copy to its end"
    for table in captured:
        number = scalar(connection, "SELECT %s::regclass::oid::bigint", (table.relation,))
        if not complete or number not in published:
            yield f'the changes of "{table}" are not published any more; cancel the move and create it again'
        yield from _silent(connection, table)


def _silent(connection: Connection, table: Table) -> Iterator[str]:
    """What would keep the log from telling the keys of the table's changes."""
    rows = connection.execute(
        """SELECT c.oid::regclass::text, c.relpersistence <> 'p', c.relreplident NOT IN ('d', 'f'),
                  NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
           FROM pg_class c
           WHERE c.oid = %(table)s::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass))""",
        {"table": table.relation},
    ).fetchall()
    for name, unlogged, other, deferrable in rows:
        if unlogged:
            yield f'"{name}" is unlogged, so the log does not tell of it; ALTER TABLE it SET LOGGED'
        if other:
            yield f'"{name}" tells the log other columns than its key; ALTER TABLE it REPLICA IDENTITY DEFAULT'
        if deferrable:
            yield f'the primary key of "{name}" is deferrable, so it is not told to the log; make it NOT DEFERRABLE'
