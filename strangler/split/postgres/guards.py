"""Fences and captures of PostgreSQL: triggers. All is a list of statements first, so that a dry run can show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from psycopg import sql

from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection
from strangler.split.spec import MoveSpec
from strangler.split.store import Claim
from strangler.split.table import Table

_FENCE = "strangler_fence"
_TRUNCATE = "_truncate"
_CHECK_EVERY = 4096
"""Rows of the log between two looks at its size."""


def create(
    spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, closed: bool
) -> Iterator[sql.Composed]:
    """See Store.set_up."""
    for claim in claims:
        yield from _fence(spec, claim, closed=closed)
    moved = {claim.table.name for claim in claims if claim.moved}
    for table in captured:
        # A replica follows some columns only; updates of the others would flood the log.
        yield from _capture(spec, table, sql.SQL("false") if table.name in moved else _same_image(table))


def drop(spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table]) -> Iterator[sql.Composed]:
    """See Store.take_down."""
    for table in captured:
        name = _capture_name(spec, table)
        for suffix in ("", _TRUNCATE):
            yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(
                sql.Identifier(name + suffix), wording.relation(table)
            )
        yield sql.SQL("DROP FUNCTION IF EXISTS strangler.{}()").format(sql.Identifier(name))
    for claim in claims:
        yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(_FENCE), wording.relation(claim.table))


def faults(
    connection: Connection, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
) -> Iterator[str]:
    """See Store.guard_faults."""
    for table in captured:
        states = _states(connection, table)
        name = _capture_name(spec, table)
        if [states.get(name), states.get(name + _TRUNCATE)] != ["O", "O"]:
            yield f'the capture on "{table}" does not run; cancel the move and create it again'
    for claim in claims:
        wanted = "A" if fenced or not claim.moved else "D"
        state = _states(connection, claim.table).get(_FENCE, "")
        if state != wanted:
            yield (
                f'the fence on "{claim.table}" is in state "{state}", not "{wanted}": somebody changed its triggers '
                "by hand; find out who wrote meanwhile before you repair it"
            )


def _states(connection: Connection, table: Table) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            (table.relation,),
        ).fetchall()
    )


def _fence(spec: MoveSpec, claim: Claim, *, closed: bool) -> Iterator[sql.Composed]:
    fence, table = sql.Identifier(_FENCE), wording.relation(claim.table)
    yield sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {} TO strangler_applier").format(table)
    yield sql.SQL(
        "CREATE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} "
        "FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse({}, {})"
    ).format(fence, table, sql.Literal(spec.name), sql.Literal("moved" if claim.moved else "replicated"))
    yield sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
        table, sql.SQL("ENABLE ALWAYS" if closed else "DISABLE"), fence
    )


def _capture(spec: MoveSpec, table: Table, uninteresting: sql.Composable) -> Iterator[sql.Composed]:
    """The log of one table: the keys that changed, in the transaction that changed them."""
    name = sql.Identifier(_capture_name(spec, table))
    truncate = sql.Identifier(_capture_name(spec, table) + _TRUNCATE)
    into = sql.SQL("INSERT INTO strangler.changes (move, name, key) VALUES ({}, {}, ").format(
        sql.Literal(spec.name), sql.Literal(table.name)
    )
    body = sql.SQL(
        "DECLARE number bigint; BEGIN "
        "IF TG_OP = 'TRUNCATE' THEN {into}NULL); RETURN NULL; END IF; "
        "IF TG_OP = 'UPDATE' AND ({uninteresting}) THEN RETURN NULL; END IF; "
        "IF TG_OP <> 'INSERT' THEN {into}{old}) RETURNING seq INTO number; END IF; "
        "IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND {old} <> {new}) THEN "
        "{into}{new}) RETURNING seq INTO number; END IF; "
        "IF number % {every} = 0 THEN PERFORM strangler.stop_capture({move}, {limit}); END IF; "
        "RETURN NULL; END"
    ).format(
        into=into,
        uninteresting=uninteresting,
        old=wording.key_text("OLD", table),
        new=wording.key_text("NEW", table),
        every=sql.Literal(_CHECK_EVERY),
        move=sql.Literal(spec.name),
        limit=sql.Literal(spec.log_limit),
    )
    # The application's user writes the log through it, and needs no right of its own on the schema.
    yield sql.SQL(
        "CREATE OR REPLACE FUNCTION strangler.{}() RETURNS trigger LANGUAGE plpgsql "
        "SECURITY DEFINER SET search_path = '' AS {}"
    ).format(name, sql.Literal(body.as_string()))
    yield sql.SQL("COMMENT ON FUNCTION strangler.{}() IS {}").format(name, sql.Literal(spec.name))
    yield sql.SQL(
        "CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION strangler.{}()"
    ).format(name, wording.relation(table), name)
    yield sql.SQL("CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION strangler.{}()").format(
        truncate, wording.relation(table), name
    )


def _same_image(table: Table) -> sql.Composed:
    # Images are compared, not values: every type has one.
    return sql.SQL("pg_catalog.record_image_eq(ROW({}), ROW({}))").format(
        wording.qualified("NEW", table.columns), wording.qualified("OLD", table.columns)
    )


def _capture_name(spec: MoveSpec, table: Table) -> str:
    # PostgreSQL cuts names at 63 bytes, which would make two long ones the same.
    digest = hashlib.sha256(f"{spec.name}/{table.relation}".encode()).hexdigest()[:12]
    return f"strangler_capture_{digest}"
