"""The parts of a plan's view, from what was read of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from strangler_proxy.routes import MoveRoutes

from strangler.dashboard.snapshot import UNKNOWN, Route, Table, Verdict
from strangler.plans.plan import Plan
from strangler.plans.standing import Entry
from strangler.plans.state import MONOLITH, ProjectState, Routed
from strangler.split import Side
from strangler.split.status import Routing

VERDICTS = 20
"""That are shown, of those in the record."""


def routes_of(plan: Plan, state: ProjectState, routing: Routing | None, *, known: bool = True) -> tuple[Route, ...]:
    """The plan's routes as proxies that have the table divide them.

    Without a routing they are not on the move, and the monolith's; unless it is not known.
    """
    found = tuple(_route(routed, routing) for routed in state.routed_by(plan.name))
    return found if known else tuple(replace(route, owner=UNKNOWN, version=UNKNOWN) for route in found)


def tables_of(plan: Plan, state: ProjectState, owner: str) -> tuple[Table, ...]:
    """The plan's tables, those that move first; "owner" is who owns these now."""
    moved = (
        Table(
            name=state.schema.model(entry.model).table,
            model=entry.model,
            owner=owner,
            copy_at="",
            condition=entry.condition.strip(),
        )
        for entry in state.moved_by(plan.name)
    )
    copied = (
        Table(
            name=state.schema.model(entry.model).table,
            model=f"{entry.model} ({', '.join(entry.columns)})",
            owner=MONOLITH,
            copy_at=entry.service,
        )
        for entry in state.replicated_by(plan.name)
    )
    return (*moved, *copied)


def asked_for(move: MoveRoutes) -> str:
    """Whom a proxy with this table asks for the move."""
    reads = f", {move.weight / 100:g}% of the reads {move.candidate}" if move.weight else ""
    return f"{move.move}: {move.owner}{reads} ({move.term}.{move.n})"


def verdicts_of(entries: Iterable[Entry]) -> tuple[Verdict, ...]:
    """The last verdicts of a record, the newest first."""
    found = [_verdict(entry) for entry in entries if entry.facts.get("step") == "verdict"]
    return tuple(reversed(found[-VERDICTS:]))


def _route(routed: Routed, routing: Routing | None) -> Route:
    sharing = routed.sharing
    sides = {Side.SOURCE: MONOLITH, Side.TARGET: routed.service}
    owner = routing.owner if routing else Side.SOURCE
    shared = routing is not None and (not sharing.only_routes or routed.pattern in sharing.only_routes)
    return Route(
        pattern=routed.pattern,
        owner=sides[owner],
        other=sides[owner.other],
        reads_to_other=routing.weight / 100 if routing and shared else 0.0,
        shadowed=routing.shadow / 100 if routing and shared else 0.0,
        early=sharing.early if routing and shared and routing.early else (),
        version=f"{routing.term}.{routing.n}" if routing else "",
    )


def _verdict(entry: Entry) -> Verdict:
    weight = entry.facts.get("weight")
    return Verdict(
        at=entry.at,
        outcome=str(entry.facts.get("outcome", "")),
        reason=str(entry.facts.get("reason", "")),
        weight=weight / 100 if isinstance(weight, int) else None,
        asked=str(entry.facts.get("asked", "")),
    )
