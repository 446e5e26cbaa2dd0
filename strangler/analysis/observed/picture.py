"""What a trace says of apps: who touched whose tables, what a transaction held together, and how often. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from strangler.analysis.observed.accesses import access
from strangler.analysis.observed.trace import Entry, Fired, Shape, Site, Trace

OFTEN = 5
"""Times that one line sends one statement in one request, from which on it is chatty."""


def times(number: int) -> str:
    """How often, in words."""
    return "once" if number == 1 else f"{number:,} times"


@dataclass(frozen=True, kw_only=True)
class Touch:
    """A table as it is touched from one line in one entry."""

    entry: Entry
    app: str
    """The app whose code does it; what only the framework does is done for the entry. Empty where that is none's."""
    site: Site
    shape: Shape
    verb: str
    """ "reads", "writes" or "locks"."""
    label: str
    """The model's, or the table's name where nobody knows its model."""
    owner: str
    """The app of the table; empty where nobody knows it."""
    units: int
    times: int
    most: int
    rows: int
    unknown: int
    bytes: float | None
    """About how many came across; None where nothing was measured."""

    @property
    def average(self) -> float:
        """Times in one of the entry's requests in which it is at all."""
        return self.times / (self.units or 1)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one transaction of an entry wrote, and what it locked besides, by the labels of models."""

    entry: Entry
    written: frozenset[str]
    locked: frozenset[str]
    times: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A trace with the models behind its tables. "apps" are the project's own."""

    trace: Trace
    tables: Mapping[str, str]
    apps: frozenset[str]

    @cached_property
    def touches(self) -> tuple[Touch, ...]:
        """All of them."""
        return tuple(touch for entry in self.trace.entries.values() for touch in self._touches(entry))

    @cached_property
    def across(self) -> tuple[Touch, ...]:
        """Those from one part of the project's code to another app's table."""
        return tuple(one for one in self.touches if one.owner in self.apps and one.app not in ("", one.owner))

    @property
    def chatty(self) -> list[Touch]:
        """Statements that one line sends many times in one request or task, on another app's table; the worst first.

        Another one than the line's or the request's own: a loop may well call the other app's code.
        """
        often = (
            one
            for one in self.touches
            if one.most >= OFTEN and one.entry.kind != "test" and one.owner in self.apps
            if {one.app, self.app_of(one.entry)} - {"", one.owner}
        )
        return sorted(often, key=lambda one: (-one.average, one.entry.name, one.label))

    @cached_property
    def transactions(self) -> list[Held]:
        """All that hold anything together."""
        return [
            self._held(entry, keys, times)
            for entry in self.trace.entries.values()
            for keys, times in entry.transactions.items()
        ]

    def spanning(self) -> dict[tuple[str, ...], list[Held]]:
        """Transactions that write in several of the project's apps, by these apps; the most first."""
        found: dict[tuple[str, ...], list[Held]] = {}
        for held in self.transactions:
            apps = {self.owner(label) for label in held.written} & self.apps
            if len(apps) > 1:
                found.setdefault(tuple(sorted(apps)), []).append(held)
        return dict(sorted(found.items(), key=lambda one: (-sum(held.times for held in one[1]), one[0])))

    def signals(self) -> Counter[Fired]:
        """Signals that another app's code hears than the one whose model or code they are of."""
        found: Counter[Fired] = Counter()
        for entry in self.trace.entries.values():
            for fired, times in entry.signals.items():
                others = tuple(one for one in fired.receivers if one[1] != fired.sender_app)
                if others:
                    kept = Fired(
                        signal=fired.signal, sender=fired.sender, sender_app=fired.sender_app, receivers=others
                    )
                    found[kept] += times
        return found

    def owner(self, label: str) -> str:
        """The app of a model's label; empty for a table that nobody knows."""
        return label.partition(".")[0] if "." in label else ""

    def app_of(self, entry: Entry) -> str:
        """The project's part that a route or task belongs to."""
        return entry.app if self._is_own(entry.app) else ""

    def unknown(self) -> set[str]:
        """Tables of no known model."""
        return {one.label for one in self.touches if not one.owner}

    def _is_own(self, app: str) -> bool:
        return app in self.apps or app.startswith("(")

    def _code(self, entry: Entry, site: Site) -> str:
        if entry.kind == "test" and site.app not in self.apps:
            return ""  # the test's own code
        return site.app if self._is_own(site.app) else self.app_of(entry)

    def _label(self, table: str) -> str:
        return self.tables.get(table, table)

    def _touches(self, entry: Entry) -> Iterator[Touch]:
        for (shape, site), use in entry.uses.items():
            found = access(shape.text, shape.vendor)
            measured = self.trace.measured[shape]
            size = use.rows * self.trace.bytes[shape] / measured if measured else None
            verbs = (("writes", found.writes), ("locks", found.locks), ("reads", found.reads - found.locks))
            for verb, tables in verbs:
                for table in sorted(tables):
                    label = self._label(table)
                    yield Touch(
                        entry=entry,
                        app=self._code(entry, site),
                        site=site,
                        shape=shape,
                        verb=verb,
                        label=label,
                        owner=self.owner(label),
                        units=use.units,
                        times=use.times,
                        most=use.most,
                        rows=use.rows,
                        unknown=use.unknown,
                        bytes=size if verb != "writes" else None,
                    )

    def _held(self, entry: Entry, keys: frozenset[tuple[Shape, Site]], times: int) -> Held:
        found = [access(shape.text, shape.vendor) for shape, _ in keys]
        written = frozenset(self._label(table) for one in found for table in one.writes)
        locked = frozenset(self._label(table) for one in found for table in one.locks)
        return Held(entry=entry, written=written, locked=locked - written, times=times)
