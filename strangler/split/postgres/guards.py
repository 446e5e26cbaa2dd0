"""Fences and captures of PostgreSQL: triggers. All is a list of statements first, so that a dry run can show it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg import sql

from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection
from strangler.split.spec import MoveSpec
from strangler.split.store import Claim
from strangler.split.table import Table

_FENCE = "strangler_fence"
_BOUNDARY = "strangler_no_crossing"
"""Behind the fence in the order of names: while that is up, it is the fence that answers."""
_TRUNCATE = "_truncate"
_EVENTS: dict[LiteralString, LiteralString] = {"INSERT": "{new}", "UPDATE": "{old} OR {new}", "DELETE": "{old}"}
"""The events of a row, and which rows must be meant by the move for them to concern it."""
_ANYBODY = sql.SQL("true")
_NOT_THE_APPLIER = sql.SQL("current_user <> 'strangler_applier'")
"""For triggers of single rows: the function that refuses asks again, but must not be called for each row of a copy."""
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
    yield sql.SQL("SELECT strangler.adopt_partitions({})").format(sql.Literal(spec.name))


def drop(spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table]) -> Iterator[sql.Composed]:
    """See Store.take_down."""
    for table in captured:
        name = _capture_name(spec, table)
        if table.where is not None:
            # Where nothing is carried back any more, a row may cross the boundary too.
            yield _drop(_BOUNDARY, table)
        # With the triggers of the table and of all that are, or were, its partitions.
        yield sql.SQL("DROP FUNCTION IF EXISTS strangler.{}() CASCADE").format(sql.Identifier(name))
    for claim in claims:
        for trigger in _fences(claim.table):
            yield _drop(trigger, claim.table)
    if claims:
        yield sql.SQL("SELECT strangler.release_partitions({})").format(sql.Literal(spec.name))
    yield sql.SQL("SELECT strangler.drop_slot({})").format(sql.Literal(spec.name))


def faults(
    connection: Connection, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
) -> Iterator[str]:
    """See Store.guard_faults."""
    for table in captured:
        name = _capture_name(spec, table)
        triggers = _triggers(name, table)
        found = _states(connection, table.relation)
        states = {found.get(trigger) for trigger in (*triggers, name + _TRUNCATE)}
        if states | _states_of_parts(connection, table, triggers) != {"O"}:
            yield f'the capture on "{table}" does not run; cancel the move and create it again'
    for claim in claims:
        wanted = "A" if fenced or not claim.moved else "D"
        found = _states(connection, claim.table.relation)
        states = {found.get(fence) for fence in _fences(claim.table)}
        if states != {wanted}:
            yield _switched(claim.table.relation, states, wanted)
        if claim.bounded and found.get(_BOUNDARY) != "A":
            yield f'"{claim.table}" lets rows cross the boundary of the move; cancel the move and create it again'
    yield from _partition_faults(connection, spec, fenced=fenced)


def _partition_faults(connection: Connection, spec: MoveSpec, *, fenced: bool) -> Iterator[str]:
    adopt = f"SELECT strangler.adopt_partitions('{spec.name}')"
    guards = connection.execute(
        "SELECT root::text, part::text, enabled::text, kind FROM strangler.partition_guards(%s)", (spec.name,)
    ).fetchall()
    for root, part in dict.fromkeys((root, part) for root, part, state, _ in guards if state is None):
        yield f'"{part}" has become a partition of "{root}" since the move was created; run {adopt} and verify again'
    for root, part, state, kind in guards:
        if kind is None and state not in (None, "O"):
            yield f'the capture on the partition "{part}" of "{root}" does not run; cancel the move and create it again'
        wanted = "A" if fenced or kind == "replicated" else "D"
        if kind is not None and state not in (None, wanted):
            yield _switched(part, {state}, wanted)
    gone = connection.execute("SELECT DISTINCT relation::text FROM strangler.detached_guards(%s)", (spec.name,))
    for (part,) in gone:
        yield f'"{part}" was a partition of a table of the move; attach it again, or run {adopt}, and verify again'


def _switched(relation: str, states: set[str | None], wanted: str) -> str:
    found = "".join(sorted(state or "" for state in states))
    return (
        f'the fence on "{relation}" is in state "{found}", not "{wanted}": somebody changed its triggers by hand; '
        "find out who wrote meanwhile before you repair it"
    )


def _states(connection: Connection, relation: str) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            (relation,),
        ).fetchall()
    )


def _states_of_parts(connection: Connection, table: Table, triggers: Sequence[str]) -> set[str | None]:
    """The states of the table's row triggers on its partitions, None where one is missing there."""
    return {
        state
        for (state,) in connection.execute(
            """SELECT DISTINCT t.tgenabled::text FROM pg_partition_tree(%s::regclass) p
               CROSS JOIN unnest(%s::text[]) wanted(name)
               LEFT JOIN pg_trigger t ON t.tgrelid = p.relid AND t.tgname = wanted.name WHERE p.level > 0""",
            (table.relation, list(triggers)),
        )
    }


def _fence(spec: MoveSpec, claim: Claim, *, closed: bool) -> Iterator[sql.Composed]:
    table = wording.relation(claim.table)
    refuse = sql.SQL("EXECUTE FUNCTION strangler.refuse({}, {})").format(
        sql.Literal(spec.name), sql.Literal("moved" if claim.moved else "replicated")
    )
    yield sql.SQL("CREATE TRIGGER {} BEFORE {} ON {} FOR EACH STATEMENT {}").format(
        sql.Identifier(_FENCE),
        sql.SQL("INSERT OR UPDATE OR DELETE OR TRUNCATE" if claim.table.where is None else "TRUNCATE"),
        table,
        refuse,
    )
    # Only with the table's lock: an autoanalyze of it would wait for the row that this changes, and we for that.
    yield sql.SQL("GRANT USAGE ON SCHEMA {} TO strangler_applier").format(wording.schema(claim.table))
    yield sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {} TO strangler_applier").format(table)
    if claim.table.where is not None:
        # Behind the table's own triggers, which may still change the row.
        yield from _on_rows(_FENCE, claim.table, refuse, _NOT_THE_APPLIER)
    for fence in _fences(claim.table):
        yield sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
            table, sql.SQL("ENABLE ALWAYS" if closed else "DISABLE"), sql.Identifier(fence)
        )
    if claim.bounded:
        yield sql.SQL(
            "CREATE TRIGGER {} AFTER UPDATE ON {} FOR EACH ROW WHEN ({} AND (({}) IS TRUE) <> (({}) IS TRUE)) "
            "EXECUTE FUNCTION strangler.refuse({}, 'boundary')"
        ).format(
            sql.Identifier(_BOUNDARY),
            table,
            _NOT_THE_APPLIER,
            wording.meant(claim.table, "old"),
            wording.meant(claim.table, "new"),
            sql.Literal(spec.name),
        )
        yield sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(table, sql.Identifier(_BOUNDARY))


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
    yield from _on_rows(_capture_name(spec, table), table, sql.SQL("EXECUTE FUNCTION strangler.{}()").format(name))
    yield sql.SQL("CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION strangler.{}()").format(
        truncate, wording.relation(table), name
    )


def _on_rows(name: str, table: Table, execute: sql.Composed, whose: sql.SQL = _ANYBODY) -> Iterator[sql.Composed]:
    """Triggers for every change of a row that is meant, before the change or after it."""
    if table.where is None:
        yield sql.SQL("CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW {}").format(
            sql.Identifier(name), wording.relation(table), execute
        )
        return
    old, new = wording.meant(table, "old"), wording.meant(table, "new")
    for trigger, (event, when) in zip(_triggers(name, table), _EVENTS.items(), strict=True):
        yield sql.SQL("CREATE TRIGGER {} AFTER {} ON {} FOR EACH ROW WHEN ({} AND ({})) {}").format(
            sql.Identifier(trigger),
            sql.SQL(event),
            wording.relation(table),
            whose,
            sql.SQL(when).format(old=old, new=new),
            execute,
        )


def _triggers(name: str, table: Table) -> tuple[str, ...]:
    """The names of _on_rows: no one trigger may ask for both the old and the new row of all events."""
    return (name,) if table.where is None else tuple(f"{name}_{event.lower()}" for event in _EVENTS)


def _fences(table: Table) -> tuple[str, ...]:
    return (_FENCE,) if table.where is None else (_FENCE, *_triggers(_FENCE, table))


def _drop(trigger: str, table: Table) -> sql.Composed:
    return sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(trigger), wording.relation(table))


def _same_image(table: Table) -> sql.Composed:
    # Images are compared, not values: every type has one.
    return sql.SQL("pg_catalog.record_image_eq(ROW({}), ROW({}))").format(
        wording.qualified("NEW", table.columns), wording.qualified("OLD", table.columns)
    )


def _capture_name(spec: MoveSpec, table: Table) -> str:
    # PostgreSQL cuts names at 63 bytes, which would make two long ones the same.
    where = "" if table.where is None else f" {table.where}"
    digest = hashlib.sha256(f"{spec.name}/{table.relation}{where}".encode()).hexdigest()[:12]
    return f"strangler_capture_{digest}"
