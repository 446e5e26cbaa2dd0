"""What could be cut out, and what the cut would cost. Pure; every figure is a count of couplings that the map shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from strangler.analysis.communities import communities
from strangler.analysis.coupling import WRITES, Coupling, Kind, weight
from strangler.analysis.crossing import is_declared, loops, saves_cut, transactions_cut
from strangler.analysis.graph import Graph
from strangler.analysis.metrics import Quality, quality

_KEYS = frozenset({Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.MANY_TO_MANY})
_FIRST = (Kind.SQL, *sorted(WRITES), Kind.GENERIC_KEY, Kind.ADMIN, Kind.INHERITANCE, Kind.JOIN, Kind.SIGNAL)
"""What no plan resolves: it has to be changed in the code before."""
_DISAGREE = WRITES | {Kind.SQL, Kind.GENERIC_KEY, Kind.SOFT_KEY, Kind.SIGNAL, Kind.MANY_TO_MANY, Kind.ADMIN}
"""Past the cut nothing holds the rows of both sides together any more, and nothing says so at once."""
_OLD = frozenset({Kind.JOIN, Kind.PER_ROW, Kind.NAVIGATION, Kind.READ, Kind.CACHE, Kind.SESSION})
"""What was asked of one database at one moment is asked of a copy, or of another service."""
_SAME = 0.6
"""Of two groups, the share of nodes in both from which on they are one."""


@dataclass(frozen=True, kw_only=True)
class Seam:
    """A part of the graph that could become a service, and the couplings that pass its border."""

    name: str
    nodes: frozenset[str]
    models: tuple[str, ...]
    lines: int
    routes: int
    inner: int
    """Weight within."""
    out: tuple[Coupling, ...]
    into: tuple[Coupling, ...]
    several_writers: tuple[str, ...]
    """Its tables that are written outside of it, and others' that it writes."""
    transactions: tuple[str, ...]
    """Functions that write on both sides."""
    atomic: tuple[str, ...]
    """Those of them of which the code says that they are one transaction."""
    saves: tuple[str, ...]
    """Models that cannot be saved without a write on the other side."""
    loops: Mapping[str, int]
    """Views whose requests walk over the border for each row of a loop, with the number of such places."""
    replicated: tuple[str, ...]
    """Others' tables that it reads."""
    quality: Quality

    @cached_property
    def cut(self) -> int:
        """Weight of what passes the border."""
        return weight(self.out) + weight(self.into)

    @property
    def openness(self) -> float:
        """The cut's share of all that its parts are coupled by; 0 is an island."""
        return self.cut / ((self.cut + self.inner) or 1)

    def count(self, *kinds: Kind) -> int:
        """How many of what passes the border are of these kinds."""
        return sum(self._kinds[kind] for kind in kinds)

    @cached_property
    def _kinds(self) -> Mapping[Kind, int]:
        return Counter(coupling.kind for coupling in (*self.out, *self.into))

    @property
    def keys(self) -> int:
        return self.count(*_KEYS)

    @property
    def data(self) -> int:
        """Ties of the data: keys, joins, statements, writes of the other side's tables."""
        return self.count(*_KEYS, Kind.GENERIC_KEY, Kind.JOIN, Kind.SQL, *WRITES)

    @property
    def first(self) -> tuple[Coupling, ...]:
        """What would have to change before."""
        return tuple(coupling for coupling in (*self.into, *self.out) if coupling.kind in _FIRST)

    @property
    def risk(self) -> tuple[int, int]:
        """(places after which rows of the two sides may disagree, with those whose answers may be old or slow)."""
        rows = {(c.path, c.line) for c in (*self.out, *self.into) if c.kind in _DISAGREE}
        old = {(c.path, c.line) for c in (*self.out, *self.into) if c.kind in _OLD}
        return len(rows) + len(self.transactions), len(rows | old) + len(self.transactions)

    @property
    def places(self) -> tuple[int, int]:
        """How many places would have to be touched: (functions and classes, lines)."""
        across = (*self.out, *self.into)
        return len({(c.path, c.source) for c in across}), len({(c.path, c.line) for c in across})


def find_seams(graph: Graph, groups: Iterable[frozenset[str]] | None = None) -> list[Seam]:
    """Every app with tables, and groups that hold together over apps' borders; the least open first.

    "groups" are the graph's communities where somebody has found them before: they do not depend on its apps.
    """
    candidates = {app: frozenset(_of_app(graph, app)) for app in sorted(set(graph.apps.values()))}
    for group in communities(graph) if groups is None else groups:
        if all(_overlap(group, other) < _SAME for other in candidates.values()):
            candidates[_name(graph, group, candidates)] = group
    found = [seam(graph, name, nodes) for name, nodes in candidates.items() if nodes & graph.models]
    tied = graph.models | {node for pair in graph.weights for node in pair}
    parts = (one for one in found if len(one.nodes & tied) <= len(tied) / 2)
    return sorted(parts, key=lambda one: (one.openness, one.name))


def seam(graph: Graph, name: str, nodes: frozenset[str]) -> Seam:
    """What cutting out these nodes means."""
    leaving = [graph.ties[n] for n in sorted(n for node in nodes for n in graph.leaving.get(node, ()))]
    entering = [graph.ties[n] for n in sorted(n for node in nodes for n in graph.entering.get(node, ()))]
    out = [tie for tie in leaving if tie.target not in nodes]
    cut = transactions_cut(graph, nodes)
    return Seam(
        name=name,
        nodes=nodes,
        models=tuple(sorted(nodes & graph.models)),
        lines=sum(graph.lines.get(node, 0) for node in nodes),
        routes=sum(view in nodes for view in graph.routes.values()),
        inner=weight(tie.coupling for tie in leaving if tie.target in nodes),
        out=tuple(dict.fromkeys(tie.coupling for tie in out)),
        into=tuple(dict.fromkeys(tie.coupling for tie in entering if tie.source not in nodes)),
        several_writers=tuple(sorted({t.target for t in graph.writes if (t.source in nodes) != (t.target in nodes)})),
        transactions=tuple(sorted(one.function for one in cut)),
        atomic=tuple(sorted(one.function for one in cut if is_declared(one))),
        saves=tuple(saves_cut(graph, nodes)),
        loops=loops(graph, nodes),
        replicated=tuple(sorted({tie.target for tie in out} & graph.models)),
        quality=quality({node: int(node in nodes) for node in graph.apps}, graph.calls, graph.use_cases),
    )


def pareto(seams: Sequence[Seam]) -> set[str]:
    """The names of those that no other one betters: less open, with fewer ties of the data, and larger at once."""

    def better(one: Seam, other: Seam) -> bool:
        mine = (one.openness, one.data, -one.lines)
        theirs = (other.openness, other.data, -other.lines)
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))

    return {one.name for one in seams if not any(better(other, one) for other in seams)}


def _of_app(graph: Graph, app: str) -> Iterator[str]:
    return (node for node, owner in graph.apps.items() if owner == app)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _name(graph: Graph, group: frozenset[str], taken: Iterable[str]) -> str:
    """After the apps that give most of it."""
    apps = [app for app, count in Counter(graph.apps[node] for node in sorted(group)).most_common(3) if count > 1]
    name = "+".join(apps) or min(group)
    number = 2
    while name in taken:
        name = f"{'+'.join(apps)}~{number}"
        number += 1
    return name
