"""Holds the journal against the databases at rest. It reads nothing else, and nothing of the toolkit runs for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from strangler.split import Side
from tests.faults.linearizability import Operation, Verb, violation
from tests.faults.shop import MOVED, REGISTERS, SEEDED, STEP, registers


@dataclass(kw_only=True)
class Findings:
    """What is wrong, one sentence each, with the kind first; and how much was looked at."""

    wrong: list[str] = field(default_factory=list)
    acknowledged: int = 0
    unknown: int = 0


def check(
    connections: Mapping[Side, psycopg.Connection[Any]],
    journal: Sequence[Operation],
    numbers: Iterable[int],
    start: Mapping[str, int | None],
) -> Findings:
    """The databases at rest: nothing is on its way, nobody writes. "start" is what the registers held at first."""
    findings = Findings(
        acknowledged=sum(operation.certain for operation in journal),
        unknown=sum(not operation.certain for operation in journal),
    )
    state = {side: _ownership(connection) for side, connection in connections.items()}
    owners = [side for side, row in state.items() if (row[0] if row is not None else side is Side.SOURCE)]
    if len(owners) != 1:
        findings.wrong.append(f"owners: {owners or 'nobody'} at rest")
        return findings
    owner = owners[0]
    claimed = {side: row is not None and row[2] for side, row in state.items()}
    _registers(findings, connections[owner], journal, start)
    _seeded(findings, connections[owner])
    twice = [number for number, times in Counter(numbers).items() if times > 1]
    if twice:
        findings.wrong.append(f"number given twice: {twice}")
    done = any(row is not None and row[1] for row in state.values())
    if all(claimed.values()):
        _equal(findings, connections, ("product",) if done else (*MOVED, "product"))
        _fences(findings, connections, owner)
    else:
        _fences(findings, {owner: connections[owner]}, owner)
    return findings


def _ownership(connection: psycopg.Connection[Any]) -> tuple[bool, bool, bool] | None:
    """(owns, done, claimed)."""
    if connection.execute("SELECT to_regclass('strangler.ownership')").fetchone() == (None,):
        return None
    return connection.execute(  # type: ignore[return-value]
        "SELECT owns, done, EXISTS (SELECT FROM strangler.claims) FROM strangler.ownership"
    ).fetchone()


def _registers(
    findings: Findings,
    owner: psycopg.Connection[Any],
    journal: Sequence[Operation],
    start: Mapping[str, int | None],
) -> None:
    found = registers(owner)
    histories: dict[str, list[Operation]] = defaultdict(list)
    for operation in journal:
        histories[operation.register].append(operation)
    end = max((operation.called for operation in journal), default=0) + 1_000_000
    for register, history in histories.items():
        last = Operation(
            who="checker", register=register, verb=Verb.READ, value=found.get(register), called=end, answered=end + 1
        )
        first = start.get(register)
        if stuck := violation([*history, last], first):
            writes = [operation for operation in history if operation.verb is not Verb.READ]
            if not violation([*writes, last], first):
                kind = "stale read"
            elif not violation(writes, first):
                kind = "lost" if last.value is None else "resurrected, or an older value"
            else:
                kind = "lost update"
            shown = sorted([*history, last], key=lambda operation: operation.called)
            around = shown.index(stuck[0])
            findings.wrong.append(
                f"{kind}: {register}, no order gets past {stuck[0]}; around it\n    "
                + "\n    ".join(map(str, shown[max(around - 8, 0) : around + 5]))
            )


def _seeded(findings: Findings, owner: psycopg.Connection[Any]) -> None:
    """Rows that nobody touches."""
    untouched = {key for (key,) in owner.execute("SELECT id FROM register WHERE value = 0 AND padding <> ''")}
    lost = {n * STEP for n in range(REGISTERS, SEEDED + 1)} - untouched
    tokens = {label for (label,) in owner.execute("SELECT label FROM token")}
    missing = {f"seeded {n}" for n in range(1, SEEDED + 1)} - tokens
    if lost or missing:
        findings.wrong.append(f"lost: rows that nobody touched: {sorted(lost)} {sorted(missing)}")


def _equal(findings: Findings, connections: Mapping[Side, psycopg.Connection[Any]], tables: Iterable[str]) -> None:
    for table in tables:
        mine, theirs = (
            set(connections[side].execute(f"SELECT * FROM {table}"))  # type: ignore[arg-type]
            for side in Side
        )
        if mine != theirs:
            findings.wrong.append(
                f"sides differ in {table}: only at the source {sorted(mine - theirs)[:5]}, only at the target "
                f"{sorted(theirs - mine)[:5]}"
            )


def _fences(findings: Findings, connections: Mapping[Side, psycopg.Connection[Any]], owner: Side) -> None:
    for side, connection in connections.items():
        for table in MOVED:
            taken = True
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
            except psycopg.DatabaseError as error:
                if error.sqlstate != "SF001":
                    raise
                taken = False
            if taken is not (side is owner):
                findings.wrong.append(f"fence: the {side} {'takes' if taken else 'refuses'} writes to {table}")
