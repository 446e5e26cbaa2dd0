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


def taken(exchange: Exchange) -> Taken:
    """By the table that it was decided under."""
    policy = exchange.met.policy.path if exchange.met is not None else ""
    decision, table = exchange.decision, exchange.table
    if decision is None:
        return Taken(route=policy)
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
