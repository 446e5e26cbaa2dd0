"""Fences and captures of SQLite: triggers that are always there, and ask the ownership row whether they hold.

The fence is a BEFORE trigger for each verb that refuses unless the database owns the move, or the applier is at work.
A SQLite database has one writer at a time, and whoever becomes the writer sees what the last one has committed: a
transaction that has read something older cannot write any more (SQLITE_BUSY_SNAPSHOT). So a write either ends before
the transaction that changes the ownership row, which waits for it, or reads the row as that transaction left it.

The applier's mark, strangler_applier.at_work, is set after BEGIN IMMEDIATE and taken back before COMMIT, in one and
the same transaction. No other connection can write while it lasts, none ever reads an uncommitted page of it to decide
a write, and no committed page holds it: so nobody else's trigger sees it. If the applier dies, its transaction is
rolled back, and the mark with it.

The captures are AFTER triggers with the keys of the row, and BEFORE triggers with the keys of the rows that a REPLACE
would take away (see indexes.py). A key that is noted although nothing happened is harmless: its row is read again.

Where some rows of a table move, all of it is asked of these: AFTER triggers, since a row may get its number late. The
fence has BEFORE triggers for REPLACE then, too. They cannot know whether it is one: whoever would only collide with a
row that is fenced is refused as well.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence

from strangler.split.spec import MoveSpec
from strangler.split.sqlite import catalog
from strangler.split.sqlite.indexes import giving_way
from strangler.split.sqlite.wording import key_text, literal, meant, quoted, unquoted
from strangler.split.store import Claim
from strangler.split.table import Table

_CHECK_EVERY = 4093
"""Rows of the log between two looks at its size; a prime, so that moves that write in turns all come to it."""
_ROW = 24
"""Bytes that a row of the log takes beside its texts."""
_VERBS = ("insert", "update", "delete")
_NOBODY_AT_WORK = "NOT (SELECT at_work FROM strangler_applier)"


def create(
    connection: sqlite3.Connection, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table]
) -> Iterator[str]:
    """See Store.set_up."""
    yield from drop(spec, claims, captured)
    for claim in claims:
        yield from _fence(connection, spec, claim).values()
    for table in captured:
        yield from _capture(connection, spec, table, claims).values()
    yield from _limit(spec).values()


def drop(spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table]) -> Iterator[str]:
    """See Store.take_down."""
    names = [
        f"{kind}_{verb}_{_digest(spec, claim.table.relation)}"
        for claim in claims
        for kind in ("fence", "spared")
        for verb in _VERBS
    ]
    for table in captured:
        digest = _digest(spec, table.relation)
        names += [f"{kind}_{verb}_{digest}" for kind in ("capture", "replaced") for verb in _VERBS]
        # Where nothing is carried back any more, a row may cross the boundary too.
        names.append(f"boundary_{digest}")
    names.append(f"limit_{_digest(spec)}")
    for name in names:
        yield f"DROP TRIGGER IF EXISTS {catalog.TRIGGER}{name}"


def faults(
    connection: sqlite3.Connection,
    spec: MoveSpec,
    claims: Sequence[Claim],
    captured: Sequence[Table],
    *,
    fenced: bool,
) -> Iterator[str]:
    """See Store.guard_faults."""
    there = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    for table in captured:
        if not (_capture(connection, spec, table, claims) | _limit(spec)).items() <= there.items():
            yield (
                f'the capture on "{table.name}" is gone, or does not fit the table any more (a migration that makes a '
                "table anew drops its triggers); cancel the move and create it again"
            )
    for claim in claims:
        if not _fence(connection, spec, claim).items() <= there.items():
            yield (
                f'the fence on "{claim.table.name}" is gone: somebody changed its triggers by hand, or a migration '
                "made the table anew; find out who wrote meanwhile before you repair it"
            )
    owns = catalog.scalar(connection, "SELECT owns FROM strangler_ownership WHERE move = ?", (spec.name,))
    if bool(owns) is fenced:
        yield f"the ownership row says owns = {owns}, so the fences are {'open' if owns else 'closed'}"


def _fence(connection: sqlite3.Connection, spec: MoveSpec, claim: Claim) -> dict[str, str]:
    table, on, digest = claim.table, claim.table.relation, _digest(spec, claim.table.relation)
    if claim.moved:
        held = f"NOT (SELECT owns FROM strangler_ownership WHERE move = {literal(spec.name)}) AND {_NOBODY_AT_WORK}"
        # RAISE takes a literal only: the term is for strangler.refusal to read.
        text = f'SF001: move "{spec.name}" is owned elsewhere'
    else:
        held = _NOBODY_AT_WORK
        text = f'SF002: table {on} is a read-only copy kept by move "{spec.name}"; write to it where it is owned'
    refuse = f"SELECT RAISE(ABORT, {literal(text)})"
    if table.where is None:
        return dict(
            _trigger(f"fence_{verb}_{digest}", f"BEFORE {verb} ON {on} WHEN {held}", [refuse]) for verb in _VERBS
        )
    found = [
        _trigger(f"fence_{verb}_{digest}", f"AFTER {verb} ON {on} WHEN {held}{concerned}", [refuse])
        for verb, concerned in _concerned(table).items()
    ]
    for verb, gives_way in _giving_way(connection, table).items():
        spared = [f"{refuse} WHERE EXISTS (SELECT 1 FROM {on} WHERE {condition})" for condition in gives_way]
        found.append(_trigger(f"spared_{verb}_{digest}", f"BEFORE {verb} ON {on} WHEN {held}", spared))
    if claim.bounded:
        crossing = " <> ".join(f"(({meant(table, row)}) IS TRUE)" for row in ("OLD", "NEW"))
        # While the fence holds it is the fence that answers.
        owned = f"(SELECT owns FROM strangler_ownership WHERE move = {literal(spec.name)})"
        text = f'SF004: a row of table {on} would come to belong to move "{spec.name}", or cease to'
        found.append(
            _trigger(
                f"boundary_{digest}",
                f"AFTER update ON {on} WHEN {owned} AND {_NOBODY_AT_WORK} AND {crossing}",
                [f"SELECT RAISE(ABORT, {literal(text)})"],
            )
        )
    return dict(found)


def _capture(connection: sqlite3.Connection, spec: MoveSpec, table: Table, claims: Sequence[Claim]) -> dict[str, str]:
    """The log of one table: the keys that changed, in the transaction that changed them."""
    move, on = literal(spec.name), table.relation
    running = f"{_NOBODY_AT_WORK} AND (SELECT stopped FROM strangler_streams WHERE move = {move}) IS NULL"
    into = f"INSERT INTO strangler_changes (move, name, key) SELECT {move}, {literal(table.name)}, "
    old, new, there = (key_text(row, table) for row in ("OLD", "NEW", on))
    # A replica follows some columns only; updates of the others would flood the log.
    moved = any(claim.moved and claim.table.name == table.name for claim in claims)
    altered = "" if moved else f" AND ({_altered(table)})"
    concerned = {verb: f"AFTER {verb} ON {on} WHEN {running}{rows}" for verb, rows in _concerned(table).items()}
    found = {
        ("capture", "insert"): (concerned["insert"], [into + new]),
        ("capture", "delete"): (concerned["delete"], [into + old]),
        ("capture", "update"): (f"{concerned['update']}{altered}", [into + old, f"{into}{new} WHERE {new} <> {old}"]),
    }
    for verb, gives_way in _giving_way(connection, table).items():
        taken = [f"{into}{there} FROM {on} WHERE {condition}" for condition in gives_way]
        if taken:
            found["replaced", verb] = (f"BEFORE {verb} ON {on} WHEN {running}", taken)
    digest = _digest(spec, on)
    return dict(_trigger(f"{kind}_{verb}_{digest}", head, body) for (kind, verb), (head, body) in found.items())


def _concerned(table: Table) -> dict[str, str]:
    """By verb, what is added to a condition: the row is one that is meant, before the change or after it."""
    if table.where is None:
        return dict.fromkeys(_VERBS, "")
    old, new = meant(table, "OLD"), meant(table, "NEW")
    return {"insert": f" AND ({new})", "update": f" AND ({old} OR {new})", "delete": f" AND ({old})"}


def _giving_way(connection: sqlite3.Connection, table: Table) -> dict[str, list[str]]:
    """By verb, conditions for rows that are meant and would give way to NEW, one for each unique index."""
    conditions = giving_way(connection, unquoted(table.relation))
    if table.where is not None:
        # Behind the same key there may come a row that is not meant, of which nobody else takes note.
        same = (f"{table.relation}.{quoted(column.name)} = NEW.{quoted(column.name)}" for column in table.key)
        conditions = [
            f"{condition} AND {meant(table, table.relation)}" for condition in (*conditions, " AND ".join(same))
        ]
    another = f"{key_text(table.relation, table)} <> {key_text('OLD', table)}"
    return {"insert": conditions, "update": [f"{condition} AND {another}" for condition in conditions]}


def _limit(spec: MoveSpec) -> dict[str, str]:
    """A log beyond the limit stops its capture, so that the disk never fills; the application goes on.

    The size is taken from the numbers between the oldest row and this one, so it is never under the real one by much.
    """
    move = literal(spec.name)
    rows = f"(NEW.seq - (SELECT min(seq) FROM strangler_changes WHERE move = {move}) + 1)"
    size = f"length(CAST(NEW.move || NEW.name || ifnull(NEW.key, '') AS BLOB)) + {_ROW}"
    reason = literal(f"its log of changes had grown to the limit of {_pretty(spec.log_limit)}")
    return dict(
        [
            _trigger(
                f"limit_{_digest(spec)}",
                f"AFTER insert ON strangler_changes WHEN NEW.move = {move} AND NEW.seq % {_CHECK_EVERY} = 0",
                [
                    f"UPDATE strangler_streams SET stopped = {reason} "
                    f"WHERE move = {move} AND stopped IS NULL AND {rows} * ({size}) >= {spec.log_limit}"
                ],
            )
        ]
    )


def _altered(table: Table) -> str:
    """A condition: one of the columns has another value, or the same of another type."""
    return " OR ".join(
        f"NEW.{name} IS NOT OLD.{name} COLLATE BINARY OR typeof(NEW.{name}) <> typeof(OLD.{name})"
        for name in (quoted(column.name) for column in table.columns)
    )


def _trigger(name: str, head: str, body: Sequence[str]) -> tuple[str, str]:
    name = catalog.TRIGGER + name
    return name, f"CREATE TRIGGER {name} {head} BEGIN {'; '.join(body)}; END"


def _digest(spec: MoveSpec, *of: str) -> str:
    return hashlib.sha256("/".join((spec.name, *of)).encode()).hexdigest()[:12]


def _pretty(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 10_240:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.0f} GB"
