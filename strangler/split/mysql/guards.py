"""Fences and captures of MySQL: row triggers that are always there, and empty tables that forbid TRUNCATE.

A fence asks the fence's row with a locking read: it sees what is committed last, whatever snapshot the writer has,
and it holds a switch up until the writer's transaction ends. So nothing of this is changed at a switch.

Where some rows of a table move, the fence is asked for these only, and after the change: a row may get its number late,
and triggers of the table's own change it before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from strangler.split.mysql import catalog, wording
from strangler.split.mysql.wording import Connection, identifier, literal
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Claim
from strangler.split.table import Family, Table

_EVENTS = ("insert", "update", "delete")
_CHECK_EVERY = 1024
"""Rows of the log between two looks at its length."""
_ROW = 150
"""About how many bytes a row of the log takes with a short key."""


def create(
    spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side, applier: str
) -> Iterator[str]:
    """See Store.set_up. Repeatable: the copy begins only when all of it is there."""
    # The rows that the triggers ask are there before them; until the move is set up the source owns.
    owns = int(side is Side.SOURCE)
    yield (
        "INSERT IGNORE INTO strangler_ownership (move, side, epoch, owns, term, changed_at) "
        f"VALUES ({literal(spec.name)}, '{side.value}', {owns}, {owns}, {owns}, UNIX_TIMESTAMP())"
    )
    yield (
        "REPLACE INTO strangler_fences (move, owns, term) "
        f"SELECT move, owns, term FROM strangler_ownership WHERE move = {literal(spec.name)}"
    )
    yield f"REPLACE INTO strangler_stops (move) VALUES ({literal(spec.name)})"
    for table in _guarded(claims, captured):
        yield f"DROP TABLE IF EXISTS {_guard(spec, table)}"
        yield forbids_truncate(_guard(spec, table), table)
    for claim in claims:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {claim.table.relation} TO '{applier}'@'%'"
    for name, event, table, body in _triggers(spec, claims, captured, applier):
        yield f"DROP TRIGGER IF EXISTS {identifier(name)}"
        yield _trigger(name, event, table, body)


def drop(spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table]) -> Iterator[str]:
    """See Store.take_down."""
    for name, _, _, _ in _triggers(spec, claims, captured, ""):
        yield f"DROP TRIGGER IF EXISTS {identifier(name)}"
    for table in captured:
        if table.where is not None:
            # Where nothing is carried back any more, a row may cross the boundary too.
            yield f"DROP TRIGGER IF EXISTS {identifier(_name('boundary', spec, table, 'update'))}"
    yield f"DELETE FROM strangler_stops WHERE move = {literal(spec.name)}"
    for table in _guarded(claims, captured):
        yield f"DROP TABLE IF EXISTS {_guard(spec, table)}"


def forbids_truncate(name: str, table: Table) -> str:
    """What makes an empty table of that quoted name.

    TRUNCATE fires no trigger, but the server refuses it where a foreign key leads to the table.
    """
    definitions = ", ".join(
        f"{identifier(column.name)} {_definition(column.type, text=wording.is_text(column))}" for column in table.key
    )
    keys = wording.key_columns(table)
    return (
        f"CREATE TABLE {name} ({definitions}, KEY ({keys}), "
        f"FOREIGN KEY ({keys}) REFERENCES {table.relation} ({keys})) ENGINE = InnoDB "
        f"COMMENT = {literal('always empty: it forbids TRUNCATE')}"
    )


def faults(
    connection: Connection,
    spec: MoveSpec,
    claims: Sequence[Claim],
    captured: Sequence[Table],
    applier: str,
    *,
    fenced: bool,
) -> Iterator[str]:
    """See Store.guard_faults."""
    owns = catalog.scalar(connection, "SELECT owns FROM strangler_fences WHERE move = %s", (spec.name,))
    if owns is None or bool(owns) is fenced:
        yield (
            "the fence's row in strangler_fences does not say what strangler_ownership says: somebody changed it by "
            "hand; find out who wrote meanwhile before you repair it"
        )
    there = catalog.triggers(connection)
    changed = {
        (name.split("_")[1], table.name): None
        for name, _, table, body in _triggers(spec, claims, captured, applier)
        if there.get((name, catalog.bare(table))) != catalog.plain(body)
    }
    for what, name in changed:
        yield (
            f'the {what} on "{name}" is not as it was made: somebody changed its triggers by hand, or exchanged the '
            "table; find out who wrote meanwhile, then cancel the move and create it again"
        )
    tables = {name for (name,) in catalog.query(connection, "SHOW TABLES")}
    for table in _guarded(claims, captured):
        if _guard(spec, table).strip("`") not in tables:
            yield f'nothing forbids TRUNCATE of "{table.name}" any more; cancel the move and create it again'


def _triggers(
    spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], applier: str
) -> Iterator[tuple[str, str, Table, str]]:
    """(name, time and event, table, body) of every trigger of the move on one side."""
    for claim in claims:
        when = "BEFORE" if claim.table.where is None else "AFTER"
        for event in _EVENTS:
            body = _fence(spec, applier, claim.table, event) if claim.moved else _read_only(spec, claim.table, applier)
            yield _name("fence", spec, claim.table, event), f"{when} {event.upper()}", claim.table, body
        if claim.bounded:
            body = _boundary(spec, claim.table, applier)
            yield _name("boundary", spec, claim.table, "update"), "AFTER UPDATE", claim.table, body
    moved = {claim.table.relation for claim in claims if claim.moved}
    for table in captured:
        for event in _EVENTS:
            body = _capture(spec, table, event, applier, every_update=table.relation in moved)
            yield _name("capture", spec, table, event), f"AFTER {event.upper()}", table, body


def _trigger(name: str, event: str, table: Table, body: str) -> str:
    return f"CREATE TRIGGER {identifier(name)} {event} ON {table.relation} FOR EACH ROW {body}"


def _concerned(table: Table, event: str) -> str:
    """A condition: the row is one that is meant, before the change or after it."""
    old, new = wording.meant(table, "OLD"), wording.meant(table, "NEW")
    return {"insert": new, "update": f"{old} OR {new}", "delete": old}[event]


def _boundary(spec: MoveSpec, table: Table, applier: str) -> str:
    old, new = (f"(({wording.meant(table, row)}) IS TRUE)" for row in ("OLD", "NEW"))
    message = f'a row of table "{table.name}" would come to belong to move "{spec.name}", or cease to'
    return (
        f"BEGIN IF {_not_applier(applier)} AND {old} <> {new} THEN "
        f"SIGNAL SQLSTATE 'SF004' SET MESSAGE_TEXT = {literal(message[:128])}; END IF; END"
    )


def _fence(spec: MoveSpec, applier: str, table: Table, event: str) -> str:
    refusal = literal(f'move "{spec.name}" is owned elsewhere (term ')
    concerned = "" if table.where is None else f" AND ({_concerned(table, event)})"
    return (
        "BEGIN DECLARE strangler_owns BOOLEAN DEFAULT FALSE; DECLARE strangler_term BIGINT DEFAULT 0; "
        "DECLARE strangler_message VARCHAR(128); "
        f"IF {_not_applier(applier)}{concerned} THEN "
        "SELECT owns, term INTO strangler_owns, strangler_term FROM strangler_fences "
        f"WHERE move = {literal(spec.name)} LOCK IN SHARE MODE; "
        "IF NOT strangler_owns THEN SET strangler_message = "
        f"CONCAT({refusal}, strangler_term, ')'); "
        "SIGNAL SQLSTATE 'SF001' SET MESSAGE_TEXT = strangler_message; END IF; END IF; END"
    )


def _read_only(spec: MoveSpec, table: Table, applier: str) -> str:
    message = f'table "{table.name}" is a read-only copy kept by move "{spec.name}"'
    return (
        f"BEGIN IF {_not_applier(applier)} THEN "
        f"SIGNAL SQLSTATE 'SF002' SET MESSAGE_TEXT = {literal(message[:128])}; END IF; END"
    )


def _capture(spec: MoveSpec, table: Table, event: str, applier: str, *, every_update: bool) -> str:
    """The log of one table: the keys that changed, in the transaction that changed them."""
    new, old = wording.key_text("NEW", table), wording.key_text("OLD", table)
    if event == "insert":
        log = _log(spec, table, new)
    elif event == "delete":
        log = _log(spec, table, old)
    else:
        log = _log(spec, table, old) + f"IF NOT ({_same(table, key=True)}) THEN {_log(spec, table, new)}END IF; "
        if not every_update:
            # A replica follows some columns only; updates of the others would flood the log.
            log = f"IF NOT ({_same(table, key=False)}) THEN {log}END IF; "
    if table.where is not None:
        log = f"IF {_concerned(table, event)} THEN {log}END IF; "
    return (
        "BEGIN DECLARE strangler_stopped BOOLEAN DEFAULT FALSE; DECLARE strangler_oldest BIGINT; "
        "DECLARE strangler_free VARCHAR(64); "
        # As statements of their own these reads lock nothing; within an expression they would.
        f"SELECT stopped INTO strangler_stopped FROM strangler_stops WHERE move = {literal(spec.name)}; "
        f"IF NOT strangler_stopped AND {_not_applier(applier)} THEN {log}END IF; END"
    )


def _log(spec: MoveSpec, table: Table, key: str) -> str:
    """Add a key; and now and then stop the capture where the log is too long, so that the disk never fills.

    Who finds a row locked that it would have to change goes on: nobody's write waits or fails for it.
    """
    move = literal(spec.name)
    reason = literal(f"its log of changes had grown to the limit of {_bytes(spec.log_limit)}")
    return (
        f"INSERT INTO strangler_changes (move, name, `key`) VALUES ({move}, {literal(table.name)}, {key}); "
        f"IF LAST_INSERT_ID() % {_CHECK_EVERY} = 0 THEN "
        f"SELECT MIN(seq) INTO strangler_oldest FROM strangler_changes WHERE move = {move}; "
        f"IF (LAST_INSERT_ID() - strangler_oldest) * {_ROW} >= {spec.log_limit} THEN "
        "SELECT t.move INTO strangler_free FROM strangler_streams t JOIN strangler_stops s ON s.move = t.move "
        f"WHERE t.move = {move} FOR UPDATE SKIP LOCKED; "
        "IF strangler_free IS NOT NULL THEN "
        f"UPDATE strangler_streams SET stopped = {reason} WHERE move = {move}; "
        f"UPDATE strangler_stops SET stopped = TRUE WHERE move = {move}; "
        "END IF; END IF; END IF; "
    )


def _same(table: Table, *, key: bool) -> str:
    """Whether OLD and NEW are the same to the last byte: a collation would take "a" and "A" for one."""

    def bytes_of(row: str, name: str, family: Family) -> str:
        written = f"{row}.{identifier(name)}"
        return f"CAST({written} AS BINARY)" if family in (Family.TEXT, Family.JSON) else written

    return " AND ".join(
        f"{bytes_of('OLD', column.name, column.family)} <=> {bytes_of('NEW', column.name, column.family)}"
        for column in (table.key if key else table.columns)
    )


def _definition(written: str, *, text: bool) -> str:
    kind, _, collation = written.rpartition(" ")
    return f"{kind} COLLATE {collation}" if text else written


def _guarded(claims: Sequence[Claim], captured: Sequence[Table]) -> list[Table]:
    tables = {table.relation: table for table in (*(claim.table for claim in claims), *captured)}
    return list(tables.values())


def _guard(spec: MoveSpec, table: Table) -> str:
    return identifier(catalog.GUARD + _digest(spec, table))


def _name(kind: str, spec: MoveSpec, table: Table, event: str) -> str:
    return f"strangler_{kind}_{_digest(spec, table)}_{event}"


def _digest(spec: MoveSpec, table: Table) -> str:
    # Names are cut at 64 characters, which would make two long ones the same.
    return hashlib.sha256(f"{spec.name}/{table.relation}".encode()).hexdigest()[:12]


def _not_applier(applier: str) -> str:
    # USER() is who connected; CURRENT_USER() would be who created the trigger.
    return f"SUBSTRING_INDEX(USER(), '@', 1) <> '{applier}'"


def _bytes(number: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if number < 10 * 1024:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} GB"
