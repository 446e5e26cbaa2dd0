"""What was observed beside what the map says: what the map does not have, and what passes a seam's border. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.graph import Graph
from strangler.analysis.mapping import Map
from strangler.analysis.observed.picture import Held, Picture, Touch, times
from strangler.analysis.observed.trace import Entry, Trace
from strangler.analysis.routes import whole_routes
from strangler.analysis.seams import Seam

_CONVERTER = re.compile(r"<\w+:")
_WRITES = frozenset({Kind.WRITE, Kind.HIDDEN_WRITE, Kind.SQL})
_READS = _WRITES | {Kind.READ, Kind.NAVIGATION, Kind.PER_ROW, Kind.JOIN, Kind.INHERITANCE, Kind.GENERIC_KEY}


@dataclass(frozen=True, kw_only=True)
class Asks:
    """What one route or task sends over a border, on average in one request."""

    entry: Entry
    statements: float
    rows: float
    bytes: float
    """Of those statements whose results were measured."""


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """What passes a seam's border. Tests are left out: they call what no request calls."""

    transactions: tuple[Held, ...]
    """Those that write on both sides."""
    asks: tuple[Asks, ...]
    """The most statements first."""

    @property
    def entries(self) -> int:
        """Routes and tasks with a transaction on both sides."""
        return len({id(held.entry) for held in self.transactions})

    @property
    def most(self) -> float:
        """Statements of the worst one."""
        return self.asks[0].statements if self.asks else 0.0


def picture_of(trace: Trace, found: Map) -> Picture:
    """The picture with the map's models and apps too: spans know of none. What ran knows its own tables better."""
    models = {model.table.lower(): model.label for model in found.summary.models}
    apps = {app.label for app in found.summary.apps if app.is_app}
    return Picture(trace=_located(trace, found), tables=models | trace.tables, apps=frozenset(apps | set(trace.apps)))


def unseen(found: Map, picture: Picture) -> list[Coupling]:
    """The couplings that the map lacks: code of an app at another's table, which none of that app's code shows.

    A query runs where its rows are asked for, which may be far from where it was written. So lines are not compared.
    """
    known = {(one.source_app, one.target, one.kind in _WRITES) for one in found.couplings if one.kind in _READS}
    paths = {module.name: module.path for module in found.summary.modules}
    above = next(filter(None, (_above(one, paths) for one in picture.across)), "")
    new: dict[tuple[str, int, str, str], list[Touch]] = {}
    for one in picture.across:
        if one.site.line and not _knows(known, one):
            new.setdefault((one.site.path, one.site.line, one.label, one.verb), []).append(one)
    return [
        _coupling(several, paths.get(several[0].site.module, several[0].site.path.removeprefix(above)))
        for _, several in sorted(new.items())
    ]


def with_observed(found: Map, picture: Picture) -> Map:
    """The map with them."""
    return replace(found, couplings=(*found.couplings, *unseen(found, picture)))


def crossing(graph: Graph, seam: Seam, picture: Picture) -> Crossing:
    """What passes this seam's border."""
    sides = _Sides(graph, seam)
    spanning = (
        held
        for held in picture.transactions
        if held.entry.kind != "test" and len({label in seam.nodes for label in held.written & graph.models}) == 2
    )
    passing: dict[int, list[Touch]] = {}
    counted: set[tuple[int, object, object]] = set()
    for one in picture.touches:
        key = (id(one.entry), one.shape, one.site)
        if one.entry.kind != "test" and one.label in graph.models and key not in counted and sides.parted(one):
            counted.add(key)
            passing.setdefault(id(one.entry), []).append(one)
    asks = (_asks(several) for several in passing.values())
    return Crossing(
        transactions=tuple(sorted(spanning, key=lambda held: (-held.times, held.entry.name, sorted(held.written)))),
        asks=tuple(sorted(asks, key=lambda one: (-one.statements, one.entry.name))),
    )


def _knows(known: Iterable[tuple[str, str, bool]], one: Touch) -> bool:
    return (one.app, one.label, True) in known or (one.verb != "writes" and (one.app, one.label, False) in known)


def _located(trace: Trace, found: Map) -> Trace:
    """With the modules of views and tasks, where spans alone say their names."""
    views = {route.pattern: route.view for route in whole_routes(found.summary.routes) if route.pattern}
    apps = {module.name: module.app for module in found.summary.modules}

    def located(entry: Entry) -> Entry:
        if entry.module or entry.kind == "test":
            return entry
        pattern = _CONVERTER.sub("<", entry.name.rpartition(" ")[2])
        dotted = found.summary.tasks.get(entry.name, "") if entry.kind == "task" else views.get(pattern, "")
        module = dotted.rpartition(".")[0]
        return replace(entry, module=module, app=apps.get(module, ""))

    return replace(trace, entries={key: located(entry) for key, entry in trace.entries.items()})


def _above(one: Touch, paths: Mapping[str, str]) -> str:
    """The folders between the one that the project ran in and the one that was mapped."""
    path = paths.get(one.site.module, "")
    return one.site.path.removesuffix(path) if path and one.site.path.endswith(f"/{path}") else ""


def _coupling(several: list[Touch], path: str) -> Coupling:
    one = several[0]
    site, entries = one.site, sorted({touch.entry.name for touch in several})
    more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
    return Coupling(
        kind=Kind.OBSERVED,
        source_app=one.app,
        target_app=one.owner,
        source=".".join(name for name in (site.module, site.function) if name) or path,
        target=one.label,
        path=path,
        line=site.line,
        detail=f"{one.verb} {times(sum(touch.times for touch in several))}, in {entries[0]}{more}",
    )


class _Sides:
    """On which side of a seam code is."""

    def __init__(self, graph: Graph, seam: Seam) -> None:
        self._apps, self._nodes = graph.apps, seam.nodes
        inside: dict[str, list[bool]] = {}
        for node, app in graph.apps.items():
            inside.setdefault(app, []).append(node in seam.nodes)
        self._of_app = {app: 2 * sum(nodes) > len(nodes) for app, nodes in inside.items()}

    def parted(self, one: Touch) -> bool:
        """Whether a table is on another side than the code that touches it, or than the view or task that it is for."""
        site, entry = one.site, one.entry
        code = (self._side(site.module, site.function, one.app), self._side(entry.module, "", entry.app))
        return any(side is not None and side != (one.label in self._nodes) for side in code)

    def _side(self, module: str, function: str, app: str) -> bool | None:
        for node in (module, f"{app}.{function.partition('.')[0]}"):
            if node in self._apps:
                return node in self._nodes
        return self._of_app.get(app)


def _asks(several: list[Touch]) -> Asks:
    units = several[0].entry.units or 1
    return Asks(
        entry=several[0].entry,
        statements=sum(one.times for one in several) / units,
        rows=sum(one.rows for one in several) / units,
        bytes=sum(one.bytes or 0 for one in several) / units,
    )
