"""Setting a move up in one database, and taking it out again: claims, fences, captures.

Everything is a list of statements first, so that a dry run prints just what a real one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources

from psycopg import sql

from strangler.split.database import Connection, Table
from strangler.split.errors import Refused
from strangler.split.layout import HEARTBEATS, Layout
from strangler.split.spec import MoveSpec, Side

_FENCE = "strangler_fence"
_TRUNCATE = "_truncate"


def install(connection: Connection, spec: MoveSpec, layout: Layout, side: Side) -> None:
    """Set the move up in one database, in one transaction. Does nothing where it is set up already."""
    with connection.transaction():
        # One move after the other: PostgreSQL fails where two at once create, replace or grant the same thing.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
        connection.execute(schema())
        # One at a time for each move, and the loser finds everything done.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'), hashtext(%s))", (spec.name,))
        if installed(connection, spec.name):
            return
        _refuse_claimed(connection, spec, layout, side)
        for statement in statements(spec, layout, side):
            connection.execute(statement)


def uninstall(connection: Connection, spec: MoveSpec, layout: Layout, side: Side) -> None:
    """Take captures, fences, claims and logs of the move out of one database, in one transaction.

    The ownership row stays: terms must go on growing if the move is created again.
    """
    with connection.transaction():
        for statement in removal(spec, layout, side):
            connection.execute(statement)


def installed(connection: Connection, move: str) -> bool:
    """Whether the move's tables are claimed here. This is a read-only operation."""
    row = connection.execute("SELECT EXISTS (SELECT FROM strangler.claims WHERE move = %s)", (move,)).fetchone()
    return row == (True,)


def schema() -> sql.SQL:
    """The statements of schema.sql, as they stand."""
    text = resources.files("strangler.split").joinpath("schema.sql").read_text(encoding="utf-8")
    return sql.SQL(text)


def statements(spec: MoveSpec, layout: Layout, side: Side) -> Iterator[sql.Composed]:
    """What sets the move up on that side, in order, after schema.sql."""
    owns = side is Side.SOURCE
    yield sql.SQL(
        "INSERT INTO strangler.ownership (move, side, epoch, owns, term) VALUES ({}, {}, {}, {}, {}) "
        "ON CONFLICT (move) DO UPDATE SET epoch = ownership.epoch + 1, peer_epoch = 0"
    ).format(*map(sql.Literal, (spec.name, side.value, int(owns), owns, int(owns))))
    for position, (table, kind) in enumerate(_claimed(layout, side)):
        yield sql.SQL("INSERT INTO strangler.claims (relation, move, kind, position) VALUES ({}, {}, {}, {})").format(
            *map(sql.Literal, (table.relation, spec.name, kind, position))
        )
        yield from _fence(spec, table, kind, closed=not owns)
    yield from captures(spec, layout, side)
    yield sql.SQL("DELETE FROM strangler.pruned WHERE move = {}").format(sql.Literal(spec.name))
    yield sql.SQL(
        "INSERT INTO strangler.checkpoints (move, xid, seq) VALUES ({}, '0', 0) "
        "ON CONFLICT (move) DO UPDATE SET xid = '0', seq = 0"
    ).format(sql.Literal(spec.name))
    if side is Side.TARGET:
        for table in layout.copied:
            yield sql.SQL(
                "INSERT INTO strangler.copies (move, relation) VALUES ({}, {}) "
                "ON CONFLICT (move, relation) DO UPDATE SET last_key = NULL, rows = 0, done = false"
            ).format(sql.Literal(spec.name), sql.Literal(table.relation))


def captures(spec: MoveSpec, layout: Layout, side: Side) -> Iterator[sql.Composed]:
    """The trigger logs of that side."""
    never = sql.SQL("false")
    for table in layout.moved:
        yield from _capture(spec, table, never)
    if side is Side.SOURCE:
        for table in layout.replicated:
            yield from _capture(spec, table, _same_image(table))
    yield from _capture(spec, HEARTBEATS, sql.SQL("NEW.move <> {}").format(sql.Literal(spec.name)))


def removal(spec: MoveSpec, layout: Layout, side: Side) -> Iterator[sql.Composed]:
    """What takes the move out on that side. At the target, the copied rows go as well."""
    move = sql.Literal(spec.name)
    yield sql.SQL("SELECT pg_advisory_xact_lock(hashtext('strangler'), hashtext({}))").format(move)
    for table in layout.carried_from(side):
        yield from drop_capture(spec, table)
    for table, _ in _claimed(layout, side):
        yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(_FENCE), table.identifier)
    if side is Side.TARGET:
        for table in reversed(layout.copied):
            yield sql.SQL("DELETE FROM {}").format(table.identifier)
    for log in (
        "claims",
        "changes",
        "pruned",
        "checkpoints",
        "copies",
        "verifications",
        "heartbeats",
        "routing",
    ):
        yield sql.SQL("DELETE FROM strangler.{} WHERE move = {}").format(sql.Identifier(log), move)
    yield sql.SQL("UPDATE strangler.ownership SET epoch = epoch + 1 WHERE move = {}").format(move)


def drop_capture(spec: MoveSpec, table: Table) -> Iterator[sql.Composed]:
    name = _capture_name(spec, table)
    for suffix in ("", _TRUNCATE):
        yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(name + suffix), table.identifier)
    yield sql.SQL("DROP FUNCTION IF EXISTS strangler.{}()").format(sql.Identifier(name))


def trigger_states(
    connection: Connection, spec: MoveSpec, layout: Layout, side: Side
) -> Iterator[tuple[Table, str, str]]:
    """For each table: (table, capture's state, fence's state) as pg_trigger.tgenabled, "" where there is none.

    This is a read-only operation.
    """
    claimed = [table for table, kind in _claimed(layout, side) if kind == "moved"]
    for table in claimed:
        states: dict[str, str] = dict(
            connection.execute(
                "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
                (table.relation,),
            ).fetchall()
        )
        yield table, states.get(_capture_name(spec, table), ""), states.get(_FENCE, "")


def _claimed(layout: Layout, side: Side) -> Iterator[tuple[Table, str]]:
    # The source's replicated tables stay ordinary tables there, and may go to several services.
    if side is Side.TARGET:
        yield from ((table, "replicated") for table in layout.replicated)
    yield from ((table, "moved") for table in layout.moved)


def _refuse_claimed(connection: Connection, spec: MoveSpec, layout: Layout, side: Side) -> None:
    for table, _ in _claimed(layout, side):
        other = connection.execute(
            "SELECT move FROM strangler.claims WHERE relation = %s", (table.relation,)
        ).fetchone()
        if other is not None:
            raise Refused(
                f'table "{table}" of the {side} is on its way in move "{other[0]}" already; '
                f'complete or cancel that one, or take the table out of "{spec.name}"'
            )


def _fence(spec: MoveSpec, table: Table, kind: str, *, closed: bool) -> Iterator[sql.Composed]:
    fence = sql.Identifier(_FENCE)
    yield sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {} TO strangler_applier").format(table.identifier)
    yield sql.SQL(
        "CREATE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} "
        "FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse({}, {})"
    ).format(fence, table.identifier, sql.Literal(spec.name), sql.Literal(kind))
    yield sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
        table.identifier, sql.SQL("ENABLE ALWAYS" if closed else "DISABLE"), fence
    )


def _capture(spec: MoveSpec, table: Table, uninteresting: sql.Composable) -> Iterator[sql.Composed]:
    """The trigger log of one table: the keys that changed, in the transaction that changed them."""
    name = sql.Identifier(_capture_name(spec, table))
    truncate = sql.Identifier(_capture_name(spec, table) + _TRUNCATE)
    body = sql.SQL(
        "BEGIN "
        "IF TG_OP = 'TRUNCATE' THEN "
        "INSERT INTO strangler.changes (move, relation) VALUES ({move}, {relation}); RETURN NULL; END IF; "
        "IF TG_OP = 'UPDATE' AND ({uninteresting}) THEN RETURN NULL; END IF; "
        "IF TG_OP <> 'INSERT' THEN "
        "INSERT INTO strangler.changes (move, relation, key) VALUES ({move}, {relation}, {old}); END IF; "
        "IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND {old} <> {new}) THEN "
        "INSERT INTO strangler.changes (move, relation, key) VALUES ({move}, {relation}, {new}); END IF; "
        "RETURN NULL; END"
    ).format(
        move=sql.Literal(spec.name),
        relation=sql.Literal(table.relation),
        uninteresting=uninteresting,
        old=sql.SQL("pg_catalog.jsonb_build_array({})").format(table.qualified("OLD", table.key)),
        new=sql.SQL("pg_catalog.jsonb_build_array({})").format(table.qualified("NEW", table.key)),
    )
    # The application's user writes the log through it, and needs no right of its own on the schema.
    yield sql.SQL(
        "CREATE OR REPLACE FUNCTION strangler.{}() RETURNS trigger LANGUAGE plpgsql "
        "SECURITY DEFINER SET search_path = '' AS {}"
    ).format(name, sql.Literal(body.as_string()))
    yield sql.SQL(
        "CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION strangler.{}()"
    ).format(name, table.identifier, name)
    yield sql.SQL("CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION strangler.{}()").format(
        truncate, table.identifier, name
    )


def _same_image(table: Table) -> sql.Composed:
    # A replica follows some columns only; updates of the others would flood the log.
    # Images are compared, not values: every type has one.
    return sql.SQL("pg_catalog.record_image_eq(ROW({}), ROW({}))").format(
        table.qualified("NEW", table.columns), table.qualified("OLD", table.columns)
    )


def _capture_name(spec: MoveSpec, table: Table) -> str:
    # PostgreSQL cuts names at 63 bytes, which would make two long ones the same.
    digest = hashlib.sha256(f"{spec.name}/{table.relation}".encode()).hexdigest()[:12]
    return f"strangler_capture_{digest}"
