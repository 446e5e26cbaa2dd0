"""A map as one page of HTML that stands alone: nothing is loaded from anywhere. Pure."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

from strangler.analysis.coupling import WEIGHTS, WRITES, Coupling, Kind, weight
from strangler.analysis.graph import Graph
from strangler.analysis.history.commits import Together
from strangler.analysis.history.drift import Point, drift
from strangler.analysis.mapping import Map
from strangler.analysis.observed.beside import Crossing
from strangler.analysis.seams import Seam, pareto
from strangler.analysis.showing import LEGEND, verdict

_TEMPLATE = Path(__file__).with_name("report.html")
_DATA = frozenset(
    {Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.MANY_TO_MANY, Kind.GENERIC_KEY, Kind.JOIN, Kind.SQL} | WRITES
)
_RADIUS, _LARGEST, _MARGIN = 340, 26, 190
_KEPT = 200
"""Points of the history that a report carries on."""

Pairs = Mapping[tuple[str, str], Sequence[Coupling]]


def page(
    title: str,
    found: Map,
    graph: Graph,
    seams: Sequence[Seam],
    history: Sequence[Point],
    *,
    observed: Mapping[str, Crossing] = MappingProxyType({}),
    sentences: Sequence[str] = (),
    together: Sequence[Together] = (),
) -> str:
    """The page. The last point of the history is this map.

    "observed" is what a trace saw to cross each seam, "sentences" what it says as a whole; "together" are the pairs of
    apps that commits change together.
    """
    shown = [coupling for coupling in found.couplings if not coupling.test]
    pairs: dict[tuple[str, str], list[Coupling]] = {}
    for coupling in shown:
        pairs.setdefault((coupling.source_app, coupling.target_app), []).append(coupling)
    summary = found.summary
    facts = (
        f"{sum(app.is_app for app in summary.apps)} apps, {len(summary.models)} models, "
        f"{len(summary.modules):,} files, {summary.lines:,} lines; {len(shown):,} couplings between apps with a weight "
        f"of {weight(shown):,}"
    )
    kinds = sorted({coupling.kind for coupling in shown}, key=list(Kind).index)
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        facts=escape(facts),
        partial="".join(f'<p class="soft">Partial: {escape(sentence)}</p>' for sentence in found.unread),
        verdict=escape(verdict(graph, seams)),
        drift=drift(history),
        graph="\n".join(_svg(found, pairs)),
        matrix="".join(_matrix(pairs)),
        seams="".join(_seams(seams, observed)),
        observed=_observed(sentences),
        together="".join(_together(together, pairs)),
        pairs="".join(_pairs(pairs)),
        summary=_json([vars(point) for point in history[-_KEPT:]]),
        kinds=_json([str(kind) for kind in kinds]),
    )


def _svg(found: Map, pairs: Pairs) -> Iterator[str]:
    """Apps on a circle, by their names. A curve bends to the middle, and to the right of its way back."""
    lines: Counter[str] = Counter()
    for module in found.summary.modules:
        lines[module.app] += module.lines
    apps = sorted({app for pair in pairs for app in pair} | {app.label for app in found.summary.apps})
    size = 2 * (_RADIUS + _MARGIN)
    # The more curves, the fainter; those of the data lie above the others.
    faint = max(0.08, min(0.45, 12 / math.sqrt(1 + 4 * len(pairs))))
    yield f'<svg id="picture" viewBox="0 0 {size} {size}" role="img" aria-label="apps and their couplings"'
    yield f' style="--faint: {faint:.2f}">'
    at = {app: _at(number, len(apps)) for number, app in enumerate(apps)}
    for (source, target), couplings in sorted(pairs.items(), key=lambda pair: (_is_tied(pair[1]), -weight(pair[1]))):
        yield _edge(at, source, target, couplings)
    most = max(lines.values(), default=1) or 1
    for number, app in enumerate(apps):
        yield _node(app, at[app], 360 * number / len(apps) - 90, lines[app], most)
    yield "</svg>"


def _node(app: str, at: tuple[float, float], angle: float, lines: int, most: int) -> str:
    x, y = at
    left = 90 < angle < 270
    radius = 5 + (_LARGEST - 5) * math.sqrt(lines / most)
    anchor, way = ("end", -1) if left else ("start", 1)
    turn = f"rotate({angle + (180 if left else 0):.1f} {x:.1f} {y:.1f}) translate({way * (radius + 5):.1f} 4)"
    name = escape(app)
    return (
        f'<g data-app="{name}" tabindex="0" role="button" aria-label="{name}">'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{name}: {lines:,} lines</title></circle>'
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" transform="{turn}">{name}</text></g>'
    )


def _at(number: int, count: int) -> tuple[float, float]:
    angle, middle = 2 * math.pi * number / count - math.pi / 2, _RADIUS + _MARGIN
    return middle + _RADIUS * math.cos(angle), middle + _RADIUS * math.sin(angle)


def _edge(at: Mapping[str, tuple[float, float]], source: str, target: str, couplings: Sequence[Coupling]) -> str:
    (x1, y1), (x2, y2) = at[source], at[target]
    middle = _RADIUS + _MARGIN
    # Towards the middle, and a little to the right of the direct way, so that there and back are two curves.
    x = middle + (x1 + x2 - 2 * middle) * 0.2 + (y2 - y1) * 0.06
    y = middle + (y1 + y2 - 2 * middle) * 0.2 - (x2 - x1) * 0.06
    by_kind: Counter[str] = Counter()
    for coupling in couplings:
        by_kind[str(coupling.kind)] += WEIGHTS[coupling.kind]
    tied = ' class="data"' if _is_tied(couplings) else ""
    width = min(14, 0.8 + math.sqrt(weight(couplings)) / 1.6)
    names = f'data-source="{escape(source)}" data-target="{escape(target)}"'
    weights = ";".join(f"{kind}={heavy}" for kind, heavy in by_kind.items())
    return (
        f'<a href="#{_anchor(source, target)}" {names} data-kinds="{weights}">'
        f"<title>{escape(source)} -> {escape(target)}: {_kinds(couplings)}</title>"
        f'<path{tied} stroke-width="{width:.1f}" d="M{x1:.1f} {y1:.1f} Q{x:.1f} {y:.1f} {x2:.1f} {y2:.1f}"/></a>'
    )


def _is_tied(couplings: Sequence[Coupling]) -> bool:
    return any(coupling.kind in _DATA for coupling in couplings)


def _matrix(pairs: Pairs) -> Iterator[str]:
    apps = sorted({app for pair in pairs for app in pair})
    most = max((weight(couplings) for couplings in pairs.values()), default=1) or 1
    yield '<table class="matrix"><tr><th>from \\ to</th>'
    yield from (f"<th><span>{escape(app)}</span></th>" for app in apps)
    yield "</tr>"
    for source in apps:
        yield f"<tr><td>{escape(source)}</td>"
        for target in apps:
            couplings = pairs.get((source, target))
            if couplings is None:
                yield "<td></td>"
                continue
            heavy = weight(couplings)
            shade = 0.08 + 0.5 * math.sqrt(heavy / most)
            title = f"{escape(source)} -> {escape(target)}: {_kinds(couplings)}"
            yield f'<td style="background: rgba(var(--cell), {shade:.2f})" title="{title}">'
            yield f'<a href="#{_anchor(source, target)}">{heavy}</a></td>'
        yield "</tr>"
    yield "</table>"


def _observed(sentences: Sequence[str]) -> str:
    text = escape("\n".join(sentences))
    return f'<h2 id="observed">Observed</h2><div class="card"><pre>{text}</pre></div>' if sentences else ""


def _seams(seams: Sequence[Seam], observed: Mapping[str, Crossing]) -> Iterator[str]:
    if not seams:
        return
    heads = ("seam", "open", "cut", "inner", "models", "lines", "routes", "keys", "joins", "sql", "writers", "both")
    front = pareto(seams)
    seen = ("tx", "asks") if observed else ()
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in (*heads, 'copies', 'places', *seen))}</tr>"
    for one in seams:
        few, many = one.places
        cells = (
            *(f"{one.openness:.0%}", f"{one.cut:,}", f"{one.inner:,}", len(one.models), f"{one.lines:,}", one.routes),
            *(one.keys, one.count(Kind.JOIN), one.count(Kind.SQL), len(one.several_writers), len(one.transactions)),
            *(len(one.replicated), f"{few} to {many}"),
            *((observed[one.name].entries, f"{observed[one.name].most:.1f}") if observed else ()),
        )
        name = f"{'* ' if one.name in front else ''}{escape(one.name)}"
        yield f"<tr><td>{name}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield '</table><p class="soft">* no other one is less open, has fewer ties of its data, and is larger at once.</p>'
    if observed:
        yield f'<p class="soft">{LEGEND}</p>'


def _together(together: Sequence[Together], pairs: Pairs) -> Iterator[str]:
    """Beside each pair the weight that the map has between the two, both ways: with none, something else ties them."""
    if not together:
        return
    heads = ("apps", "commits of both", "of the rarer one's", "times chance", "weight in the map")
    yield f'<h2 id="together">Changed together</h2><div class="card"><table><tr>{"".join(map(_head, heads))}</tr>'
    for pair in together:
        between = [*pairs.get((pair.one, pair.other), ()), *pairs.get((pair.other, pair.one), ())]
        figures = (pair.both, f"{pair.confidence:.0%}", f"{pair.lift:.1f}", f"{weight(between):,}")
        cells = "".join(f"<td>{figure}</td>" for figure in figures)
        yield f"<tr><td>{escape(pair.one)}, {escape(pair.other)}</td>{cells}</tr>"
    yield f'</table><p class="soft">In {together[0].commits:,} commits, more often than by chance.</p></div>'


def _head(text: str) -> str:
    return f"<th>{text}</th>"


def _pairs(pairs: Pairs) -> Iterator[str]:
    for (source, target), couplings in sorted(pairs.items(), key=lambda pair: (-weight(pair[1]), pair[0])):
        yield f'<details id="{_anchor(source, target)}"><summary>{escape(source)} &rarr; {escape(target)}: '
        yield f'{weight(couplings)} <span class="soft">({_kinds(couplings)})</span></summary>'
        for kind in Kind:  # a list of each: there are many couplings, and what is hidden together needs one mark
            lines = [one for one in couplings if one.kind is kind]
            if lines:
                yield f'<ul data-kind="{kind}">'
                yield from (
                    f"<li>{escape(str(one))}</li>" for one in sorted(lines, key=lambda one: (one.path, one.line))
                )
                yield "</ul>"
        yield "</details>"


def _anchor(source: str, target: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.-]", "_", f"pair-{source}--{target}").replace(".", "_")


def _kinds(couplings: Sequence[Coupling]) -> str:
    counts = Counter(coupling.kind for coupling in couplings)
    return ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])


def _json(value: object) -> str:
    """For a script element: nothing in it may end the element."""
    return json.dumps(value).replace("</", "<\\/").replace("<!--", "<\\!--")
