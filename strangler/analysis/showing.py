"""A map in text and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from strangler.analysis.coupling import Coupling, Kind, weight
from strangler.analysis.graph import Graph
from strangler.analysis.mapping import Map
from strangler.analysis.seams import Seam, pareto

if TYPE_CHECKING:
    from strangler.analysis.observed.beside import Crossing

_PAIRS = 20
_UNREAD = 20
_HALF = 0.5
LEGEND = "tx: routes and tasks with a transaction that wrote on both sides; asks: statements over the border a request"
"""What the two columns of what was observed mean; a request is the worst route's, on average."""


def as_text(found: Map, couplings: Iterable[Coupling]) -> Iterator[str]:
    """The heaviest pairs of apps, and by what they are tied."""
    couplings = list(couplings)
    summary = found.summary
    apps = sum(app.is_app for app in summary.apps)
    yield (
        f"{apps} apps, {len(summary.models)} models, {len(summary.modules):,} files, {summary.lines:,} lines; "
        f"{len(couplings):,} couplings between apps"
    )
    if not apps:
        yield "no app of Django's was found here; name the folder that holds the project's \"manage.py\" or its apps"
    yield from _sources(found)
    for sentence in found.unread[:_UNREAD]:
        yield f"partial: {sentence}"
    if len(found.unread) > _UNREAD:
        yield f"partial: and {len(found.unread) - _UNREAD} more, which --json names"
    pairs: dict[tuple[str, str], list[Coupling]] = {}
    for coupling in couplings:
        pairs.setdefault((coupling.source_app, coupling.target_app), []).append(coupling)
    ranked = sorted(pairs.items(), key=lambda pair: (-weight(pair[1]), pair[0]))
    if not ranked:
        return
    left, right = (max(len(pair[side]) for pair, _ in ranked[:_PAIRS]) for side in (0, 1))
    yield ""
    for (source, target), between in ranked[:_PAIRS]:
        yield f"{source:>{left}} -> {target:<{right}} {weight(between):>6,}  {_kinds(between)}"
    if len(ranked) > _PAIRS:
        rest = [coupling for _, between in ranked[_PAIRS:] for coupling in between]
        yield f"and {len(ranked) - _PAIRS} more pairs of apps with a weight of {weight(rest):,} together"


def _sources(found: Map) -> Iterator[str]:
    """Where models and routes come from, and how far the files alone tell the same."""
    yield from found.said or ("models and routes are from the files alone; --import-settings asks Django's registries",)
    yield from map(str, found.differences)


def as_lines(couplings: Iterable[Coupling]) -> Iterator[str]:
    """Each coupling at its line."""
    return map(str, couplings)


def as_json(found: Map, couplings: Iterable[Coupling]) -> dict[str, Any]:
    """All of it."""
    return {
        "files": len(found.summary.modules),
        "lines": found.summary.lines,
        "partial": list(found.unread),
        "registries": list(found.said),
        "differences": [asdict(difference) for difference in found.differences],
        "apps": [asdict(app) for app in found.summary.apps],
        "models": [asdict(model) for model in found.summary.models],
        # Tens of thousands, of plain values: asdict() copies each of these.
        "couplings": [dict(vars(coupling)) for coupling in couplings],
    }


def seams_as_text(
    graph: Graph, seams: Sequence[Seam], crossings: Mapping[str, Crossing] = MappingProxyType({}), most: int = 30
) -> Iterator[str]:
    """A table of the seams, with what was observed to cross them if anything was, and what to think of it."""
    yield verdict(graph, seams)
    if not seams:
        return
    front = pareto(seams)
    shown = [one for one in seams if one.name in front or one in seams[:most]]
    width = max(len(one.name) for one in shown)
    yield ""
    heads = "open    cut  inner  models   lines  routes  keys  joins  sql  writers  both  loops  copies"
    yield f"  {'seam':<{width}}  {heads}{'    tx   asks' if crossings else ''}"
    for one in shown:
        yield (
            f"{'*' if one.name in front else ' '} {one.name:<{width}}  {one.openness:4.0%}{one.cut:>7,}{one.inner:>7,}"
            f"{len(one.models):>8}{one.lines:>8,}{one.routes:>8}{one.keys:>6}{one.count(Kind.JOIN):>7}"
            f"{one.count(Kind.SQL):>5}{len(one.several_writers):>9}{len(one.transactions):>6}"
            f"{max(one.loops.values(), default=0):>7}{len(one.replicated):>8}{_observed(crossings.get(one.name))}"
        )
    if len(shown) < len(seams):
        yield f"  and {len(seams) - len(shown)} that are more open; --json has all"
    yield ""
    yield "* no other one is less open, has fewer ties of its data, and is larger at once; docs/map.md says how"
    if crossings:
        yield LEGEND


def seam_as_text(one: Seam, observed: Crossing | None = None) -> Iterator[str]:
    """One seam, with what would have to change first, each at its line."""
    few, many = one.places
    quality = one.quality
    yield f"{one.name}: {len(one.models)} models, {one.lines:,} lines, {one.routes} routes"
    yield f"  open {one.openness:.0%}: a weight of {one.cut:,} passes its border, {one.inner:,} stays within"
    yield f"  places to touch: {few} functions and classes, at {many} lines: {_kinds((*one.out, *one.into))}"
    rows, old = one.risk
    yield f"  risk: at {rows} places rows of both sides may disagree, at up to {old} answers may be old or slow as well"
    yield (
        f"  business context purity {quality.business_context_purity:.2f}, inter-call percentage "
        f"{quality.inter_call_percentage:.0%}, structural modularity {quality.structural_modularity:.3f}, interface "
        f"number {quality.interface_number:.1f}, non-extreme distribution {quality.non_extreme_distribution:.2f}"
    )
    for what, names in (
        ("models", one.models),
        ("tables with writers on both sides", one.several_writers),
        ("functions that write on both sides", [_called(one, name) for name in one.transactions]),
        ("models whose saving writes on the other side", one.saves),
        ("requests that walk over in loops, and at how many places", [f"{v} ({n})" for v, n in one.loops.items()]),
        ("others' tables that it reads", one.replicated),
    ):
        yield f"  {what}: {', '.join(names) or 'none'}"
    if observed is not None:
        from strangler.analysis.observed.showing import crossing_as_text  # noqa: PLC0415 - only where a trace is

        yield from crossing_as_text(observed)
    if one.first:
        yield "  to change first:"
        yield from (f"    {coupling}" for coupling in one.first)


def _called(one: Seam, function: str) -> str:
    return f"{function} (one transaction)" if function in one.atomic else function


def verdict(graph: Graph, seams: Sequence[Seam]) -> str:
    """Whether there is anything worth cutting, in a sentence."""
    if not graph.models:
        return "no seam: there are no models, so there is nothing that a service could own"
    if not seams:
        return "no seam: whatever has tables is more than half of the project"
    best = seams[0]
    if best.openness >= _HALF:
        return (
            f"no seam worth cutting here: even {best.name}, the least open one, is tied to the rest by a weight of "
            f"{best.cut:,}, and within itself by {best.inner:,}; move code behind interfaces first"
        )
    worth = sum(one.openness < _HALF for one in seams)
    return f"{worth} of {len(seams)} candidates hold together more within themselves than with the rest"


def seam_as_json(one: Seam, observed: Crossing | None = None) -> dict[str, Any]:
    """All of a seam."""
    few, many = one.places
    return {
        **_observed_as_json(observed),
        "name": one.name,
        "models": list(one.models),
        "nodes": sorted(one.nodes),
        "lines": one.lines,
        "routes": one.routes,
        "inner": one.inner,
        "cut": one.cut,
        "openness": one.openness,
        "places": {"functions": few, "lines": many},
        "several_writers": list(one.several_writers),
        "transactions": list(one.transactions),
        "atomic": list(one.atomic),
        "saves": list(one.saves),
        "loops": dict(one.loops),
        "risk": {"rows": one.risk[0], "with_answers": one.risk[1]},
        "replicated": list(one.replicated),
        "metrics": asdict(one.quality),
        "out": [asdict(coupling) for coupling in one.out],
        "into": [asdict(coupling) for coupling in one.into],
    }


def _observed_as_json(crossing: Crossing | None) -> dict[str, Any]:
    if crossing is None:
        return {}
    from strangler.analysis.observed.records import crossing_as_json  # noqa: PLC0415 - only where a trace is

    return {"observed": crossing_as_json(crossing)}


def _observed(crossing: Crossing | None) -> str:
    return f"{crossing.entries:>6}{crossing.most:>7.1f}" if crossing is not None else ""


def _kinds(couplings: Iterable[Coupling]) -> str:
    counts = Counter(coupling.kind for coupling in couplings)
    return ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
