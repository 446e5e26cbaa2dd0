"""One request, task or test while it runs, and what it has done so far. Hot: no more than entries of dictionaries."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from strangler.tracing.sites import Site, site
from strangler.tracing.texts import Shape, Shapes

Statement = tuple[Shape, Site]


class Unit:
    """What one of them did. "open" has for each database the levels of its transaction, outermost first."""

    __slots__ = (
        *("calls", "host", "kind", "module", "name", "open", "parent"),
        *("reached", "shapes", "signals", "statements", "tasks", "transactions"),
    )

    def __init__(self, kind: str, name: str, parent: Unit | None, shapes: Shapes) -> None:
        self.kind = kind
        self.name = name
        self.module = ""
        self.host: tuple[str, Any] = ("", None)
        """The name and port that were asked for last."""
        self.shapes = shapes
        self.parent = parent
        self.statements: dict[Statement, list[int]] = {}
        """[times, rows, times without a number of rows]."""
        self.reached: set[Statement] = set()
        """What has run in others within it."""
        self.transactions: dict[frozenset[Statement], int] = {}
        self.signals: dict[tuple[Any, Any], int] = {}
        self.calls: dict[tuple[str, Site, bool], int] = {}
        self.tasks: dict[tuple[str, Site], int] = {}
        # A task that runs within a request, as in tests, runs within its transaction too.
        self.open: dict[str, list[set[Statement]]] = parent.open if parent is not None else {}


current: ContextVar[Unit | None] = ContextVar("strangler_trace", default=None)


def note_statement(unit: Unit, shape: Shape, rows: int, alias: str, above: int) -> None:
    """A statement that has run, called from that many frames above."""
    key = (shape, site(above + 1))
    found = unit.statements.get(key)
    if found is None:
        unit.statements[key] = [1, rows, 0] if rows >= 0 else [1, 0, 1]
    else:
        found[0] += 1
        if rows >= 0:
            found[1] += rows
        else:
            found[2] += 1
    if shape.binds and (levels := unit.open.get(alias)):
        levels[-1].add(key)


def note_begin(unit: Unit, alias: str) -> None:
    """A transaction, or a savepoint within one, begins."""
    unit.open.setdefault(alias, []).append(set())


def note_end(unit: Unit, alias: str, kept: bool) -> None:
    """The innermost one ends; what was rolled back has not happened."""
    levels = unit.open.get(alias)
    if not levels:
        return  # it began before the unit did
    ended = levels.pop()
    if not kept or not ended:
        return
    if levels:
        levels[-1] |= ended
    else:
        key = frozenset(ended)
        unit.transactions[key] = unit.transactions.get(key, 0) + 1


def note_commit(unit: Unit, alias: str) -> None:
    """The whole transaction has been committed, and its blocks are still to be left."""
    while unit.open.get(alias):
        note_end(unit, alias, kept=True)


def note_signal(unit: Unit, signal: Any, sender: Any) -> None:
    """A signal is sent that somebody may receive."""
    sender = sender if sender is None or isinstance(sender, type) else type(sender)
    key = (signal, sender)
    unit.signals[key] = unit.signals.get(key, 0) + 1


def note_call(unit: Unit, where: str, above: int) -> None:
    """Something is sent to another server."""
    key = (where, site(above + 1), any(unit.open.values()))
    unit.calls[key] = unit.calls.get(key, 0) + 1


def note_task(unit: Unit, name: str, above: int) -> None:
    """A task is handed over, to be done later."""
    key = (name, site(above + 1))
    unit.tasks[key] = unit.tasks.get(key, 0) + 1
