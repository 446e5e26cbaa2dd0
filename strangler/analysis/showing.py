"""A map in text and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from strangler.analysis.coupling import Coupling, Kind, weight
from strangler.analysis.mapping import Map

_PAIRS = 20


def as_text(found: Map, couplings: Iterable[Coupling]) -> Iterator[str]:
    """The heaviest pairs of apps, and by what they are tied."""
    couplings = list(couplings)
    summary = found.summary
    apps = sum(app.is_app for app in summary.apps)
    yield (
        f"{apps} apps, {len(summary.models)} models, {summary.files:,} files, {summary.lines:,} lines; "
        f"{len(couplings):,} couplings between apps"
    )
    for sentence in found.unread:
        yield f"partial: {sentence}"
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


def as_lines(couplings: Iterable[Coupling]) -> Iterator[str]:
    """Each coupling at its line."""
    return map(str, couplings)


def as_json(found: Map, couplings: Iterable[Coupling]) -> dict[str, Any]:
    """All of it."""
    return {
        "files": found.summary.files,
        "lines": found.summary.lines,
        "partial": list(found.unread),
        "apps": [asdict(app) for app in found.summary.apps],
        "models": [asdict(model) for model in found.summary.models],
        "couplings": [asdict(coupling) for coupling in couplings],
    }


def _kinds(couplings: Iterable[Coupling]) -> str:
    counts = Counter(coupling.kind for coupling in couplings)
    return ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
