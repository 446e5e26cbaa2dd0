"""Who uses what in a project: definitions, templates, tables, and the entries from which all of it is reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where something begins: a route, a task, a command, a receiver, an admin page, a test."""

    kind: str
    name: str
    node: str
    starts: str
    """The node that it begins with."""
    path: str
    line: int


KINDS = ("route", "task", "command", "receiver", "admin", "test")
"""Kinds of entries, in the order in which people read them."""


@dataclass(frozen=True, kw_only=True, order=True)
class Touch:
    """A table that something reads or writes, at a line."""

    table: str
    label: str
    does: str
    path: str
    line: int


@dataclass(frozen=True, kw_only=True, order=True)
class Blind:
    """A line beyond which nobody sees: a name that is computed there."""

    path: str
    line: int
    node: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} in {self.node}"


@dataclass(kw_only=True)
class Usage:
    """A graph. Nodes are dotted names of definitions and modules, "template …", "saved …", "route …" and the like."""

    uses: dict[str, set[str]] = field(default_factory=dict)
    """What each node uses for sure."""
    perhaps: dict[str, set[str]] = field(default_factory=dict)
    """What it uses where a convention holds."""
    beside: dict[str, set[str]] = field(default_factory=dict)
    """What runs with a node, but not because of it: middleware with routes, context processors with templates."""
    names: dict[str, set[str]] = field(default_factory=dict)
    """Names of methods, with "()" where they are called, that it uses of objects that nobody declared."""
    methods: dict[str, dict[str, str]] = field(default_factory=dict)
    """Methods by their names alone, with "()" unless they are properties, each with the node of its class."""
    touches: dict[str, set[Touch]] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Path and line of each definition."""
    tables: dict[str, Touch] = field(default_factory=dict)
    """For the node of each model, its table where it is declared."""
    entries: list[Entry] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)

    def add(self, node: str, *used: str) -> None:
        """A node uses others for sure."""
        others = {other for other in used if other and other != node}
        if others:
            self.uses.setdefault(node, set()).update(others)

    def enter(self, entry: Entry, *used: str) -> None:
        """There is an entry, which begins with one node and perhaps with more."""
        self.entries.append(entry)
        self.add(entry.node, entry.starts, *used)
        self.places[entry.node] = (entry.path, entry.line)

    def callers(self) -> dict[str, set[str]]:
        """For each node, who uses it for sure, or runs with it."""
        found = _turned(self.uses)
        for target, sources in _turned(self.beside).items():
            found.setdefault(target, set()).update(sources)
        return found

    def called(self) -> Iterator[tuple[str, set[str]]]:
        """For each name of a method, who calls something so."""
        yield from _turned(self.names).items()


def _turned(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for source, targets in graph.items():
        for target in targets:
            found.setdefault(target, set()).add(source)
    return found


def model_saved(label: str) -> str:
    """The node of what happens when a row of a model is saved."""
    return f"saved {label}"


def model_deleted(label: str) -> str:
    """The node of what happens when a row of a model is deleted."""
    return f"deleted {label}"


def template(name: str) -> str:
    """The node of a template, by the name under which it is loaded."""
    return f"template {name}"
