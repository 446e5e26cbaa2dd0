"""What must hold before a switch. Each gate looks, and says in one sentence why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.split.applier import Stream
from strangler.split.checkpoint import checkpoint, pending
from strangler.split.copying import copied
from strangler.split.database import Connection, scalar
from strangler.split.installation import trigger_states
from strangler.split.layout import Layout
from strangler.split.limits import Limits
from strangler.split.ownership import Picture
from strangler.split.spec import MoveSpec, Side


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the gates look at: both databases through the administrator's connections."""

    spec: MoveSpec
    layout: Layout
    source: Connection
    target: Connection
    picture: Picture
    limits: Limits

    def connection(self, side: Side) -> Connection:
        return self.source if side is Side.SOURCE else self.target


def refusals(gate: Gate, to: Side) -> Iterator[str]:
    """Why this switch must not begin; nothing where it may. These are read-only operations."""
    old = to.other
    yield from _not_done(gate)
    yield from _all_copied(gate)
    yield from _crossing_keys(gate)
    yield from _triggers(gate, old)
    yield from _lag(gate, old)
    yield from _verified(gate, old)
    yield from _old_transactions(gate, old)


def crossing_foreign_keys(connection: Connection, layout: Layout) -> list[str]:
    """Foreign keys between a moved table and one that stays, as sentences. This is a read-only operation."""
    relations = [table.relation for table in layout.moved]
    rows = connection.execute(
        """SELECT conname, conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
           WHERE contype = 'f' AND conparentid = 0
             AND (conrelid = ANY(%(moved)s::regclass[])) <> (confrelid = ANY(%(moved)s::regclass[]))
           ORDER BY conname""",
        {"moved": relations},
    ).fetchall()
    return [
        f'the foreign key "{name}" still ties "{table}" to "{other}"; cut it first (CutForeignKey)'
        for name, table, other in rows
    ]


def _not_done(gate: Gate) -> Iterator[str]:
    if gate.picture.done:
        yield f'move "{gate.spec.name}" is complete; there is no way back any more'


def _all_copied(gate: Gate) -> Iterator[str]:
    if not copied(gate.target, gate.spec.name):
        yield "the copy is not complete; run it to its end first"


def _crossing_keys(gate: Gate) -> Iterator[str]:
    for side in Side:
        yield from crossing_foreign_keys(gate.connection(side), gate.layout)


def _triggers(gate: Gate, old: Side) -> Iterator[str]:
    for side in Side:
        fence_state = "D" if side is old else "A"
        for table, capture, fence in trigger_states(gate.connection(side), gate.spec, gate.layout, side):
            if capture != "O":
                yield f'the capture on "{table}" of the {side} does not run; cancel the move and create it again'
            if fence != fence_state:
                yield (
                    f'the fence on "{table}" of the {side} is in state "{fence}", not "{fence_state}": somebody '
                    "changed its triggers by hand; find out who wrote meanwhile before you repair it"
                )


def _lag(gate: Gate, old: Side) -> Iterator[str]:
    at = checkpoint(gate.connection(old.other), gate.spec.name)
    if at is None:
        yield f"the checkpoint of the {old.other} is lost; cancel the move and create it again"
        return
    waiting = pending(gate.connection(old), gate.spec.name, at)
    if waiting > gate.limits.pending:
        yield f"{waiting:,} changes wait to be applied, more than {gate.limits.pending:,}; let it catch up first"


def _verified(gate: Gate, old: Side) -> Iterator[str]:
    row = (
        gate.connection(old)
        .execute(
            "SELECT differences, extract(epoch FROM clock_timestamp() - verified_at) FROM strangler.verifications "
            "WHERE move = %s",
            (gate.spec.name,),
        )
        .fetchone()
    )
    if row is None:
        yield "the two sides were never compared; verify first"
    elif row[0]:
        yield f"the last verification found {row[0]:,} rows that differ; find out why, and verify again"
    elif row[1] > gate.limits.verification_age:
        yield f"the last verification is {row[1] / 60:.0f} minutes old; verify again"


def _old_transactions(gate: Gate, old: Side) -> Iterator[str]:
    found = scalar(
        gate.connection(old),
        """SELECT format('process %%s of "%%s", %%s s', pid, usename,
                         round(extract(epoch FROM clock_timestamp() - xact_start)))
           FROM pg_stat_activity
           WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
             AND xact_start < clock_timestamp() - make_interval(secs => %s)
           ORDER BY xact_start LIMIT 1""",
        (gate.limits.transaction_age,),
    )
    if found is not None:
        yield (
            f"a writing transaction is older than {gate.limits.transaction_age:g} s on the server of the {old} "
            f"({found}); wait for it or end it"
        )


def arrived(stream: Stream, beat: int) -> bool:
    """Whether a heartbeat, or a later one, has come through the stream. This is a read-only operation."""
    found = scalar(
        stream.receiver,
        "SELECT beat FROM strangler.heartbeats WHERE move = %s AND side = %s",
        (stream.move, stream.origin.value),
    )
    return found is not None and int(found) >= beat
