"""What must hold before a switch. Each gate looks, and says in one sentence why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.split.copying import copied
from strangler.split.layout import Layout, unlike_rules
from strangler.split.limits import Limits
from strangler.split.ownership import Picture
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Store


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What the gates look at: both databases through the administrator's connections."""

    spec: MoveSpec
    layout: Layout
    source: Store
    target: Store
    picture: Picture
    limits: Limits

    def store(self, side: Side) -> Store:
        return self.source if side is Side.SOURCE else self.target


def refusals(gate: Gate, to: Side) -> Iterator[str]:
    """Why this switch must not begin; nothing where it may. These are read-only operations."""
    old = to.other
    yield from _nothing_to_switch(gate)
    yield from _not_done(gate)
    yield from _all_copied(gate)
    yield from _unfit(gate)
    yield from _crossing_keys(gate)
    yield from shared_numbers(gate.source, gate.target, gate.layout)
    yield from _rules(gate, to)
    yield from _guards(gate, old)
    yield from _lag(gate, old)
    yield from _verified(gate, old)
    yield from _old_writers(gate, old)
    yield from _clocks(gate)


def shared_numbers(source: Store, target: Store, layout: Layout) -> Iterator[str]:
    """Numbers that both databases might give to a row, where only some rows of a table move. Read-only."""
    for pair in layout.moved:
        if pair.source.where is None:
            continue
        theirs = target.numbers(pair.target)
        for column, numbers in source.numbers(pair.source).items():
            if column in theirs and (shared := numbers.shared_with(theirs[column])):
                yield (
                    f'both databases number "{column}" of table "{pair.name}", from {shared[0]} to {shared[1]}, and '
                    f"both go on to: {source.numbers_apart}"
                )


def _nothing_to_switch(gate: Gate) -> Iterator[str]:
    if not gate.layout.moved and not gate.picture.done:
        yield f'move "{gate.spec.name}" keeps copies only, and no table that could change its owner'


def _not_done(gate: Gate) -> Iterator[str]:
    if gate.picture.done:
        yield f'move "{gate.spec.name}" is complete; there is no way back any more'


def _all_copied(gate: Gate) -> Iterator[str]:
    if not copied(gate.target, gate.spec.name, gate.layout):
        yield "the copy is not complete; run it to its end first"


def _unfit(gate: Gate) -> Iterator[str]:
    # What was refused before the start may have come since: a subscription, an inheriting table.
    for side in Side:
        claimed = [claim.table for claim in gate.layout.claims(side)]
        for reason in gate.store(side).unfit(claimed, gate.layout.captured(side)):
            yield f"in the {side} database {reason}"


def _crossing_keys(gate: Gate) -> Iterator[str]:
    for side in Side:
        yield from gate.store(side).crossing_keys(gate.layout.moved_tables(side))
        for reason in gate.store(side).straddling(gate.layout.moved_tables(side)):
            yield f"in the {side} database {reason}"


def _rules(gate: Gate, to: Side) -> Iterator[str]:
    # The way back is not closed by what the target has got or lost since; and what is set aside is not missing.
    if to is Side.TARGET and not gate.target.aside(gate.spec.name):
        yield from unlike_rules(gate.layout, gate.source, gate.target)[0]


def _guards(gate: Gate, old: Side) -> Iterator[str]:
    for side in Side:
        faults = gate.store(side).guard_faults(
            gate.spec, gate.layout.claims(side), gate.layout.captured(side), fenced=side is not old
        )
        for fault in faults:
            yield f"in the {side} database {fault}"


def _lag(gate: Gate, old: Side) -> Iterator[str]:
    for side in Side:
        if reason := gate.store(side).log(gate.spec.name).stopped():
            yield f"the capture of the {side} was stopped: {reason}; cancel the move and create it again"
    waiting = gate.store(old).log(gate.spec.name).pending()
    if waiting > gate.limits.pending:
        yield f"{waiting:,} changes wait to be applied, more than {gate.limits.pending:,}; let it catch up first"


def _verified(gate: Gate, old: Side) -> Iterator[str]:
    store = gate.store(old)
    rows = store.query(
        "SELECT differences, verified_at FROM strangler.verifications WHERE move = %s", (gate.spec.name,)
    )
    if not rows:
        yield "the two sides were never compared; verify first"
        return
    differences, verified_at = rows[0]
    age = store.now() - verified_at
    if differences:
        yield (
            f"the last verification found {differences:,} rows that differ or violate a foreign key; find out why, "
            "and verify again"
        )
    elif age > gate.limits.verification_age:
        yield f"the last verification is {age / 60:.0f} minutes old; verify again"
    for side in Side:
        noted = gate.store(side).scalar("SELECT shape FROM strangler.verifications WHERE move = %s", (gate.spec.name,))
        if noted != gate.store(side).shape(gate.layout.captured(side)):
            yield f"tables of the {side} were altered since the last verification; verify again"


def _old_writers(gate: Gate, old: Side) -> Iterator[str]:
    age = gate.limits.transaction_age
    found = gate.store(old).old_writers(gate.layout.moved_tables(old), age)
    if found is not None:
        yield f"a transaction has held tables of the {old} for more than {age:g} s ({found}); wait for it or end it"


def _clocks(gate: Gate) -> Iterator[str]:
    # No step goes by the clocks, but the figures and the waiting times do.
    skew = gate.source.now() - gate.target.now()
    if abs(skew) > gate.limits.clock_skew:
        yield (
            f"the clocks of the two databases are {abs(skew):.0f} s apart, more than {gate.limits.clock_skew:g} s; "
            "set them by NTP"
        )
