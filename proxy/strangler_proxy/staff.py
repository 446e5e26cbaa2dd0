"""Whether a client is of the monolith's staff: asked only where a read's way depends on it, and known for seconds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from strangler_proxy.clients import STAFF
from strangler_proxy.exchange import Exchange
from strangler_proxy.identity import Identities, IdentityUnknown
from strangler_proxy.routes import MoveRoutes, RouteTable


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Asks as for the token that the candidate would get, so that this costs no second question."""

    identities: Identities

    def undecided(self, exchange: Exchange, table: RouteTable) -> MoveRoutes | None:
        """The move whose read cannot be decided before somebody is asked; mostly None."""
        if not table.asks_for_staff or exchange.is_write:
            return None
        move = table.move_of(exchange.path)
        if move is None or STAFF not in move.early:
            return None
        known = self.identities.known(move.candidate, exchange.cookies, exchange.authorization)
        return move if known is None else None

    async def ask(self, exchange: Exchange, table: RouteTable, move: MoveRoutes) -> None:
        """Have it known, if the monolith tells."""
        with suppress(IdentityUnknown):
            monolith = table.upstream(table.default)
            await self.identities.token(monolith, move.candidate, exchange.cookies, exchange.authorization)

    def known(self, exchange: Exchange, move: MoveRoutes) -> bool:
        """Whether the client is known to be of the staff; whoever could not be asked about is not."""
        known = self.identities.known(move.candidate, exchange.cookies, exchange.authorization)
        return known is not None and known.staff
