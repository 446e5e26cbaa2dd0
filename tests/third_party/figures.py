"""What the map of a real project comes to, and how it differs from what is kept in the tree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from strangler.analysis import showing
from strangler.analysis.coupling import Kind
from strangler.analysis.graph import graph_of
from strangler.analysis.mapping import Map
from strangler.analysis.seams import find_seams

_KEPT = Path(__file__).parent / "figures"
_SEAMS = 5
_MEASURED = ("seconds", "megabytes")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one project. Couplings are counted without those that only tests have."""

    files: int
    lines: int
    apps: int
    models: int
    unread: tuple[str, ...]
    couplings: Mapping[str, int]
    """Between apps, by kind."""
    inner: int
    verdict: str
    seams: tuple[str, ...]
    """The least open ones, each with what it would cost."""
    seconds: float
    """Of a processor, for a cold map."""
    megabytes: int
    """The most that the process had."""


def figures(found: Map, seconds: float, megabytes: int) -> Figures:
    """Those of a map."""
    counts = Counter(coupling.kind for coupling in found.couplings if not coupling.test)
    graph = graph_of(found)
    seams = find_seams(graph)
    return Figures(
        files=len(found.summary.modules),
        lines=found.summary.lines,
        apps=sum(app.is_app for app in found.summary.apps),
        models=len(found.summary.models),
        unread=found.unread,
        couplings={kind.value: counts[kind] for kind in Kind if counts[kind]},
        inner=len(found.inner),
        verdict=showing.verdict(graph, seams),
        seams=tuple(
            f"{one.name} (open {one.openness:.0%}, {len(one.models)} models, {one.lines:,} lines, {one.keys} keys, "
            f"{one.count(Kind.JOIN)} joins, {one.count(Kind.WRITE)} writes)"
            for one in seams[:_SEAMS]
        ),
        seconds=seconds,
        megabytes=megabytes,
    )


def kept(name: str) -> Figures:
    """What the tree says of a project."""
    given = json.loads(_path(name).read_text())
    return Figures(**given | {"unread": tuple(given["unread"]), "seams": tuple(given["seams"])})


def keep(name: str, found: Figures) -> None:
    """Let the tree say this from now on."""
    _path(name).write_text(json.dumps(asdict(found), indent=1) + "\n")


def differences(before: Figures, now: Figures) -> Iterator[str]:
    """What is not as it was, but for what is measured."""
    for name in (field.name for field in fields(Figures) if field.name not in _MEASURED):
        old, new = getattr(before, name), getattr(now, name)
        if name == "couplings":
            for kind in sorted({*old, *new}):
                if old.get(kind, 0) != new.get(kind, 0):
                    yield f"{kind}: {new.get(kind, 0):,}, and {old.get(kind, 0):,} are kept"
        elif old != new:
            yield f"{name}: {new}, and {old} is kept"


def _path(name: str) -> Path:
    return _KEPT / f"{name}.json"
