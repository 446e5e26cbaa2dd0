"""Is there an order of these operations, each at one moment between its call and its answer, that a register allows?

The algorithm is Wing and Gong's (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of what was tried
(Testing for Linearizability, 2017), as in Athalye's Porcupine: take operations one after the other, only such as were
called before every answer that is still open; undo, and try another, where the state does not allow it. A register's
history is checked on its own: linearizability is local (Herlihy and Wing, 1990).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

State: TypeAlias = int | None
"""What a register holds; None: there is no row."""
UNKNOWN = -1
"""A value that nobody was told: any read may have found it."""


class Verb(enum.StrEnum):
    """What an operation does, and what it says of the state before it."""

    READ = "read"  # gives the state
    WRITE = "write"  # whatever was there, the value is now
    INSERT = "insert"  # there was no row
    CHANGE = "change"  # there was a row, whose value is now this one; without a value: there was none
    ADD = "add"  # there was a row with one less; without a value: there was none
    DELETE = "delete"  # there is no row any more


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation on one register. "answered" is infinity where nobody knows whether it was done."""

    who: str
    register: str
    verb: Verb
    value: State = None
    called: float
    answered: float = math.inf

    @property
    def certain(self) -> bool:
        return self.answered < math.inf

    def __str__(self) -> str:
        until = f"{self.answered:.0f}" if self.certain else "?"
        return f"[{self.called:.0f}, {until}] {self.who}: {self.verb} {self.register} {self.value}"


def violation(history: Iterable[Operation], start: State = None) -> list[Operation] | None:
    """None where the history of one register is linearizable; else the operations that no order gets past."""
    operations = sorted(history, key=lambda operation: operation.called)
    everything = (1 << len(operations)) - 1
    must = sum(1 << n for n, operation in enumerate(operations) if operation.certain)
    tried: set[tuple[int, State]] = set()
    best = 0
    stack: list[tuple[int, State]] = [(0, start)]
    while stack:
        taken, state = stack.pop()
        if taken & must == must:
            return None
        if (taken & must).bit_count() > (best & must).bit_count():
            best = taken
        first_answer = min(
            operation.answered for n, operation in enumerate(operations) if not taken >> n & 1 and operation.certain
        )
        for n, operation in enumerate(operations):
            if operation.called > first_answer:
                break
            if taken >> n & 1:
                continue
            for after in _after(operation, state):
                tried_now = (taken | 1 << n, after)
                if tried_now not in tried:
                    tried.add(tried_now)
                    stack.append(tried_now)
    return [operation for n, operation in enumerate(operations) if not (best & everything) >> n & 1]


def _after(operation: Operation, state: State) -> Iterable[State]:
    """The states in which the operation may leave a register that is in this one; nothing where it cannot be now."""
    value, certain = operation.value, operation.certain
    match operation.verb:
        case Verb.WRITE:
            return (value,)
        case Verb.DELETE:
            return (None,)
        case Verb.READ:
            if not certain or value == state or (state == UNKNOWN and value is not None):
                return (value if certain else state,)
        case Verb.INSERT:
            if state is None:
                return (value,)
        case Verb.CHANGE:
            if state is None:
                return (None,) if value is None or not certain else ()
            if value is not None or not certain:
                return (value if value is not None else UNKNOWN,)
        case Verb.ADD:
            if state is None:
                return (None,) if value is None or not certain else ()
            if not certain:
                return (state + 1 if state != UNKNOWN else UNKNOWN,)
            if value is not None and state in (value - 1, UNKNOWN):
                return (value,)
    return ()
