"""Requests as an upstream is to see them, and those that the proxy sends by itself."""

from __future__ import annotations

from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy import forwarding
from strangler_proxy.exchange import Exchange
from strangler_proxy.forwarding import Fields
from strangler_proxy.identity import Identities
from strangler_proxy.routes import RouteTable, Upstream
from strangler_proxy.upstreams import LONGEST_BODY, Client


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Puts the client's token in place of its session, for upstreams that want it so."""

    client: Client
    identities: Identities

    def known(self, exchange: Exchange, upstream: Upstream) -> tuple[str | None] | None:
        """The token, if nobody has to be asked for it; None where somebody has to."""
        if not upstream.identity:
            return (None,)
        known = self.identities.known(upstream.name, exchange.cookies_on, exchange.authorization)
        return None if known is None else (known.token,)

    async def token(self, exchange: Exchange, table: RouteTable, upstream: Upstream) -> str | None:
        """The client's token for the upstream; None for nobody. Raises IdentityUnknown."""
        if not upstream.identity:
            return None
        monolith = table.upstream(table.default)
        return await self.identities.token(monolith, upstream.name, exchange.cookies_on, exchange.authorization)

    def prepare(self, request: http.Request, exchange: Exchange, upstream: Upstream, token: str | None) -> None:
        """Give the request the header that this upstream is to see."""
        request.headers.fields = forwarding.towards(
            exchange.fields,
            move=exchange.in_flight,
            identity=upstream.identity,
            cookies=exchange.cookies_on,
            token=token,
        )
        request.headers.fields += exchange.also

    async def fetch(
        self,
        request: http.Request,
        exchange: Exchange,
        table: RouteTable,
        upstream: Upstream,
        also: Fields = (),
        *,
        longest: int = LONGEST_BODY,
    ) -> http.Response:
        """The upstream's answer; "also" stands at the header's end, "longest" bounds its body.

        Raises IdentityUnknown, UpstreamFailed.
        """
        self.prepare(request, exchange, upstream, await self.token(exchange, table, upstream))
        request.headers.fields += also
        return await self.client.fetch(upstream, request, longest=longest)
