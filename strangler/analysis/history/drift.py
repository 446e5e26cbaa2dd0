"""Maps in numbers, one after the other, as a report carries them on, and what changed from one to the next. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from strangler.analysis.coupling import WEIGHTS
from strangler.analysis.mapping import Map

_SUMMARY = re.compile(r'<script id="summary" type="application/json">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Point:
    """A map in numbers, for the history. "weights" are those of the pairs of apps, as "from -> to"."""

    when: str
    commit: str
    couplings: int
    weights: Mapping[str, int]


def point(found: Map, when: str, commit: str) -> Point:
    """A map as a point of the history."""
    weights: Counter[str] = Counter()
    shown = [coupling for coupling in found.couplings if not coupling.test]
    for coupling in shown:
        weights[f"{coupling.source_app} -> {coupling.target_app}"] += WEIGHTS[coupling.kind]
    return Point(when=when, commit=commit, couplings=len(shown), weights=dict(weights))


def history_of(text: str) -> list[Point]:
    """The history that an earlier page carries; empty where it is no such page."""
    match = _SUMMARY.search(text)
    try:
        return [Point(**given) for given in json.loads(match[1])] if match else []
    except (ValueError, TypeError):
        return []


def drift(history: Sequence[Point]) -> str:
    """What changed since the last point but one, and the last points as a table; nothing where there is one alone."""
    if len(history) < 2:
        return ""
    before, now = history[-2:]
    changed = {pair: now.weights.get(pair, 0) - before.weights.get(pair, 0) for pair in {*before.weights, *now.weights}}
    ranked = sorted((pair for pair, by in changed.items() if by), key=lambda pair: (-abs(changed[pair]), pair))
    rows = "".join(
        f"<tr><td>{escape(one.when)}</td><td><code>{escape(one.commit)}</code></td><td>{one.couplings:,}</td>"
        f"<td>{sum(one.weights.values()):,}</td></tr>"
        for one in reversed(history[-12:])
    )
    what = ", ".join(f"{escape(pair)} {changed[pair]:+}" for pair in ranked[:12]) or "nothing"
    return (
        f'<h2 id="drift">Since {escape(before.when)}</h2><div class="card"><p>Weights that changed: {what}</p><table>'
        f"<tr><th>when</th><th>commit</th><th>couplings</th><th>weight</th></tr>{rows}</table></div>"
    )
