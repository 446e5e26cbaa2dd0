"""The graph of plans as a picture, in Mermaid's language and in SVG. Pure.

Plans stand in columns, each right of those that it needs. A line that passes a column takes a row of its own there, so
that none runs through a box.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise

from strangler.plans.graph import PlanGraph
from strangler.plans.report import PlanReport

_COLOURS = {
    "open": ("#8a8f98", "#f6f7f9", "#22252b"),
    "begun": ("#2f6fdb", "#eaf1fe", "#16243d"),
    "half done": ("#b77900", "#fff5e0", "#352a12"),
    "applied": ("#1a7f4b", "#e8f7ef", "#11301f"),
    "over": ("#1a7f4b", "#d2efdf", "#184a2f"),
    "damaged": ("#c62f3b", "#fdecee", "#3d1519"),
}
"""By state of a plan: the line, and the surface in light and in dark."""
_HEIGHT, _ROW, _GAP, _MARGIN = 54, 74, 64, 16
_LETTER = 8
"""Width of a letter of the monospaced names, at most."""

_Slot = tuple[str, str]
"""A row in a column: twice the same plan, or the line from the first plan to the second, which passes by."""
_Point = tuple[int, int]


def mermaid(reports: Iterable[PlanReport]) -> str:
    """A flowchart."""
    reports = list(reports)
    lines = ["flowchart LR"]
    for one in reports:
        lines.append(f'    p{one.plan}["{one.plan}<br/>{_caption(one)}"]:::{one.state.replace(" ", "_")}')
    lines += [f"    p{needed} --> p{one.plan}" for one in reports for needed in one.dependencies]
    for state in dict.fromkeys(one.state for one in reports):
        line, light, _ = _COLOURS[state]
        lines.append(f"    classDef {state.replace(' ', '_')} fill:{light},stroke:{line},color:#1c1f24")
    return "\n".join(lines)


def svg(reports: Iterable[PlanReport]) -> str:
    """A picture that stands alone, for light and dark."""
    by_name = {one.plan: one for one in reports}
    columns = _columns(PlanGraph({name: one.dependencies for name, one in by_name.items()}))
    width = max([_LETTER * max(len(one.plan), len(_caption(one))) + 24 for one in by_name.values()], default=0)
    corners: dict[_Slot, list[_Point]] = {}
    for x, column in enumerate(columns):
        for y, slot in enumerate(column):
            corners.setdefault(slot, []).append((_MARGIN + x * (width + _GAP), _MARGIN + y * _ROW))
    across = 2 * _MARGIN + len(columns) * (width + _GAP) - _GAP
    down = 2 * _MARGIN + max(map(len, columns), default=0) * _ROW - (_ROW - _HEIGHT)
    edges = [(needed, name) for name, one in by_name.items() for needed in one.dependencies]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="Plans and what they need" '
            f'viewBox="0 0 {across} {down}" width="{across}" height="{down}">',
            f"<style>{_style()}</style>",
            *(_line([*corners[a, a], *corners.get((a, b), ()), *corners[b, b]], width) for a, b in edges),
            *(_box(one, *corners[name, name][0], width) for name, one in by_name.items()),
            "</svg>",
        ]
    )


def _caption(one: PlanReport) -> str:
    return f"{one.service}, {one.applied} of {len(one.operations)}: {one.state}"


def _columns(graph: PlanGraph) -> list[list[_Slot]]:
    """The slots of each column from above, close to those that they come from."""
    layers = graph.layers()
    depth = {name: x for x, layer in enumerate(layers) for name in layer}
    columns: list[list[_Slot]] = []
    for x, layer in enumerate(layers):
        passing = [
            (needed, name)
            for name in graph.order()
            for needed in graph.dependencies[name]
            if depth[needed] < x < depth[name]
        ]
        above = {slot: y for y, slot in enumerate(columns[-1])} if columns else {}

        def height(slot: _Slot, above: dict[_Slot, int] = above) -> tuple[float, _Slot]:
            start, end = slot
            needed = graph.dependencies[end] if start == end else (start,)
            rows = [above.get((one, end), above.get((one, one), 0)) for one in needed]
            return sum(rows) / max(len(rows), 1), slot

        columns.append(sorted([*((name, name) for name in layer), *passing], key=height))
    return columns


def _line(corners: list[_Point], width: int) -> str:
    """From the right of one slot to the left of the next, straight through the slots between."""
    path = []
    for number, (here, there) in enumerate(pairwise(corners)):
        x, y = here[0] + width, here[1] + _HEIGHT // 2
        to_x, to_y = there[0], there[1] + _HEIGHT // 2
        middle = (x + to_x) // 2
        start = f"H{x}" if number else f"M{x} {y}"
        path.append(f"{start} C{middle} {y} {middle} {to_y} {to_x} {to_y}")
    return f'<path class="need" d="{" ".join(path)}"/>'


def _box(one: PlanReport, x: int, y: int, width: int) -> str:
    return (
        f'<g class="plan {one.state.replace(" ", "-")}"><title>{escape(str(one))}</title>'
        f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="6"/>'
        f'<text class="name" x="{x + 12}" y="{y + 23}">{escape(one.plan)}</text>'
        f'<text x="{x + 12}" y="{y + 41}">{escape(_caption(one))}</text></g>'
    )


def _style() -> str:
    light, dark = (
        " ".join(
            f".{state.replace(' ', '-')} rect {{ stroke: {colours[0]}; fill: {colours[index]} }}"
            for state, colours in _COLOURS.items()
        )
        for index in (1, 2)
    )
    return (
        "text { font: 12px ui-monospace, monospace; fill: #1c1f24 } .name { font-weight: bold } "
        ".need { fill: none; stroke: #8a8f98; stroke-width: 1.5 } rect { stroke-width: 1.5 } "
        f"{light} @media (prefers-color-scheme: dark) {{ text {{ fill: #e8eaed }} {dark} }}"
    )
