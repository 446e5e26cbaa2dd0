"""What all requests, tasks and tests of a process have done, added up: it grows with the code, not with the traffic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from strangler.tracing.sites import Site
from strangler.tracing.unit import Statement, Unit

ENTRIES = 5_000
KEYS = 2_000
"""At most so many of one kind an entry. What has no room is counted as left out."""


@dataclass(kw_only=True)
class Entry:
    """One route, task or test."""

    module: str
    units: int = 0
    statements: dict[Statement, list[int]] = field(default_factory=dict)
    """[units, times, most times in one, rows, times without a number of rows]."""
    reached: set[Statement] = field(default_factory=set)
    transactions: dict[frozenset[Statement], int] = field(default_factory=dict)
    signals: dict[tuple[Any, Any], int] = field(default_factory=dict)
    calls: dict[tuple[str, Site, bool], int] = field(default_factory=dict)
    tasks: dict[tuple[str, Site], int] = field(default_factory=dict)


class Book:
    """The sums. Whoever uses it sees to it that one thread does so at a time."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self.left_out = 0

    def add(self, unit: Unit) -> None:
        """Add what a unit did."""
        key = (unit.kind, unit.name)
        entry = self.entries.get(key)
        if entry is None:
            if len(self.entries) >= ENTRIES:
                self.left_out += 1
                return
            entry = self.entries[key] = Entry(module=unit.module)
        entry.units += 1
        if len(entry.reached) < KEYS:
            entry.reached |= unit.reached
        self._add_statements(entry, unit)
        for sums, counts in (
            (entry.transactions, unit.transactions),
            (entry.signals, unit.signals),
            (entry.calls, unit.calls),
            (entry.tasks, unit.tasks),
        ):
            self._add_counts(sums, counts)

    def _add_statements(self, entry: Entry, unit: Unit) -> None:
        for key, (times, rows, unknown) in unit.statements.items():
            found = entry.statements.get(key)
            if found is not None:
                found[0] += 1
                found[1] += times
                found[2] = max(found[2], times)
                found[3] += rows
                found[4] += unknown
            elif len(entry.statements) < KEYS:
                entry.statements[key] = [1, times, times, rows, unknown]
            else:
                self.left_out += times

    def _add_counts(self, sums: dict[Any, int], counts: dict[Any, int]) -> None:
        for key, times in counts.items():
            if key in sums or len(sums) < KEYS:
                sums[key] = sums.get(key, 0) + times
            else:
                self.left_out += times
