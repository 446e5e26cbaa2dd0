"""Which way a request took, in words of which there are few: patterns, not paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strangler_proxy.exchange import Exchange


@dataclass(frozen=True, kw_only=True)
class Taken:
    """All empty where nobody was asked."""

    route: str = ""
    """The pattern of a move that the path is under, else that of the most specific policy."""
    move: str = ""
    side: str = ""
    """Of the move: "owner" or "candidate"."""
    version: str = ""
    """Of the move's routes: "3.0" is term 3, change 0."""
    upstream: str = ""
    why: str = ""
    """The decision's reason; where nobody was asked, the step of the gateway that answered."""


def taken(exchange: Exchange) -> Taken:
    """By the table that it was decided under."""
    policy, by = ("", "") if exchange.met is None else (exchange.met.policy.path, exchange.met.answered_by)
    decision, table = exchange.decision, exchange.table
    if decision is None:
        return Taken(route=policy, why=by)
    found = table.route_of(exchange.path) if table is not None and decision.move is not None else None
    if found is None or found[0].move != decision.move:
        return Taken(route=policy, move=decision.move or "", upstream=decision.upstream, why=decision.reason)
    move, pattern = found
    return Taken(
        route=pattern,
        move=move.move,
        side="owner" if decision.upstream == move.owner else "candidate",
        version=f"{move.term}.{move.n}",
        upstream=decision.upstream,
        why=decision.reason,
    )
