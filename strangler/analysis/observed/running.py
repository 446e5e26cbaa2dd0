"""Which requests, tasks and tests were observed to run what a change touches. Pure.

A trace knows the innermost line that sent a statement, called a server or handed a task over, and who heard a signal.
Functions that do none of that are in no trace.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from strangler.analysis.observed.trace import Entry, Site, Trace

_CONVERTER = re.compile(r"<\w+:")
_TEMPLATE = "template "


@dataclass(frozen=True, kw_only=True)
class Ran:
    """An entry that was observed, and whether the files alone name it too."""

    kind: str
    name: str
    units: int
    named: bool

    def __str__(self) -> str:
        what = self.name if self.kind == "route" else f"{self.kind} {self.name}"
        return f"{'' if self.named else '+'}{what}, {self.units:,}"


def who_ran(trace: Trace, nodes: Collection[str], named: Collection[tuple[str, str]]) -> list[Ran]:
    """Entries with a line of these definitions and templates in them. "named" are kinds and names that files tell."""
    known = {(kind, _plain(kind, name)) for kind, name in named}
    found = [
        Ran(kind=kind, name=name, units=entry.units, named=(kind, _plain(kind, name)) in known)
        for (kind, name), entry in trace.entries.items()
        if any(_within(place, nodes) for place in _places(entry))
    ]
    return sorted(found, key=lambda one: (one.kind != "route", one.kind != "task", one.named, one.name))


def as_text(ran: Sequence[Ran], most: int = 20) -> Iterator[str]:
    """For people."""
    yield f"\nobserved to run it{': nobody' if not ran else ''}"
    yield from (f"  {one}" for one in ran[:most])
    if len(ran) > most:
        yield f"  and {len(ran) - most:,} more"
    if not all(one.named for one in ran):
        yield "\n+ the files alone do not name it"


def _places(entry: Entry) -> Iterator[str]:
    sites = [site for _, site in (*entry.uses, *entry.reached, *entry.tasks)] + [site for _, site, _ in entry.calls]
    yield from (place for site in sites if (place := _place(site)))
    yield from (name for fired in entry.signals for name, _ in fired.receivers)


def _place(site: Site) -> str:
    if not site.module:
        return f"{_TEMPLATE}{site.path}" if site.path else ""
    return f"{site.module}.{site.function}".replace(".<locals>", "")


def _within(place: str, nodes: Collection[str]) -> bool:
    if place.startswith(_TEMPLATE):
        return any(
            f"/{place.removeprefix(_TEMPLATE)}".endswith(f"/{node.removeprefix(_TEMPLATE)}")
            for node in nodes
            if node.startswith(_TEMPLATE)
        )
    return any(place == node or place.startswith(f"{node}.") for node in nodes)


def _plain(kind: str, name: str) -> str:
    """Without what the other side does not say: a route's method and converters, its name in brackets."""
    if kind != "route":
        return name
    return _CONVERTER.sub("<", name[name.find("/") :].partition(" (")[0])
