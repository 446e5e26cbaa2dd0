"""What was observed, added up over all files: who did what, where in the code, how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A statement without its values. "vendor" is Django's name of the database, or empty."""

    text: str
    vendor: str


@dataclass(frozen=True, kw_only=True)
class Site:
    """A line of the project, or of a template. Empty is the framework's, or not known."""

    app: str = ""
    module: str = ""
    function: str = ""
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path or self.module}:{self.line}" if self.line else "(the framework)"


@dataclass(kw_only=True)
class Use:
    """A shape as it is used at one site."""

    units: int = 0
    """Requests, say, in which it was."""
    times: int = 0
    most: int = 0
    """In one of them."""
    rows: int = 0
    unknown: int = 0
    """Times that the driver did not say how many rows there were."""

    def add(self, units: int, times: int, most: int, rows: int, unknown: int) -> None:
        self.units += units
        self.times += times
        self.most = max(self.most, most)
        self.rows += rows
        self.unknown += unknown


@dataclass(frozen=True, kw_only=True)
class Fired:
    """A signal, who it was sent for, and who of the project heard it, each with its app."""

    signal: str
    sender: str
    sender_app: str
    receivers: tuple[tuple[str, str], ...]


@dataclass(kw_only=True)
class Entry:
    """A route, a task or a test, with all that was done in it."""

    kind: str
    name: str
    module: str = ""
    app: str = ""
    units: int = 0
    uses: dict[tuple[Shape, Site], Use] = field(default_factory=dict)
    reached: set[tuple[Shape, Site]] = field(default_factory=set)
    """By requests and tasks within a test."""
    transactions: Counter[frozenset[tuple[Shape, Site]]] = field(default_factory=Counter)
    signals: Counter[Fired] = field(default_factory=Counter)
    calls: Counter[tuple[str, Site, bool]] = field(default_factory=Counter)
    """(where to, from where, within a transaction)."""
    tasks: Counter[tuple[str, Site]] = field(default_factory=Counter)

    def use(self, shape: Shape, site: Site) -> Use:
        return self.uses.setdefault((shape, site), Use())

    def add(self, other: Entry) -> None:
        """Add what another file says of the same."""
        self.module, self.app = self.module or other.module, self.app or other.app
        self.units += other.units
        for key, use in other.uses.items():
            self.use(*key).add(use.units, use.times, use.most, use.rows, use.unknown)
        self.reached |= other.reached
        self.transactions.update(other.transactions)
        self.signals.update(other.signals)
        self.calls.update(other.calls)
        self.tasks.update(other.tasks)


@dataclass(kw_only=True)
class Trace:
    """All of it. "complaints" are sentences on what could not be read."""

    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    """Labels of models by their tables, in small letters."""
    apps: dict[str, str] = field(default_factory=dict)
    """Packages of the project's own apps, by their labels."""
    measured: Counter[Shape] = field(default_factory=Counter)
    """Rows whose bytes were counted."""
    bytes: Counter[Shape] = field(default_factory=Counter)
    shares: set[float] = field(default_factory=set)
    moments: list[str] = field(default_factory=list)
    files: int = 0
    left_out: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        known = self.entries.setdefault((entry.kind, entry.name), Entry(kind=entry.kind, name=entry.name))
        known.add(entry)

    def of_kind(self, *kinds: str) -> Iterator[Entry]:
        """Those of these kinds."""
        return (entry for entry in self.entries.values() if entry.kind in kinds)
