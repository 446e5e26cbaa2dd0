"""Reads that the proxy fetches by itself: those of a canary's cohorts, to be counted, and those that are shadowed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy import forwarding
from strangler_proxy.counting import Counting
from strangler_proxy.exchange import Exchange
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.routes import BUCKETS, Decision, MoveRoutes, RouteTable
from strangler_proxy.sending import Sender
from strangler_proxy.shadow import Shadow, Shadows
from strangler_proxy.upstreams import UpstreamFailed

_UNWELL = frozenset({502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Read:
    """A read to be fetched, as it was decided under one table."""

    exchange: Exchange
    table: RouteTable
    decision: Decision
    move: MoveRoutes
    shadowed: bool


@dataclass(frozen=True, kw_only=True)
class Reads:
    """Both cohorts' reads go the same way, so that they can be compared."""

    sender: Sender
    counting: Counting
    shadows: Shadows
    chance: Callable[[], float] = random.random

    def to_fetch(self, exchange: Exchange, table: RouteTable, decision: Decision) -> Read | None:
        """The read, if the proxy is to fetch it; None where it goes the ordinary way."""
        move = table.move(decision.move) if decision.move is not None else None
        if move is None or not (decision.cohort or move.shadow) or not _can_be_sent_again(exchange):
            return None
        shadowed = not decision.settled and decision.upstream == move.owner and self.chance() * BUCKETS < move.shadow
        if not decision.cohort and not shadowed:
            return None
        return Read(exchange=exchange, table=table, decision=decision, move=move, shadowed=shadowed)

    async def fetch(self, read: Read, request: http.Request) -> http.Response | None:
        """The answer for the client; None where the upstream failed, and somebody else has to be asked."""
        answer = await self._count(read, request)
        if answer is None or answer.status_code in _UNWELL:
            return None
        if read.shadowed:
            self._shadow(read, request, answer)
        return answer

    async def _count(self, read: Read, request: http.Request) -> http.Response | None:
        upstream = read.table.upstream(read.decision.upstream)
        try:
            token = await self.sender.token(read.exchange, read.table, upstream)
        except IdentityUnknown:
            return None  # the monolith's silence says nothing of the candidate
        self.sender.prepare(request, read.exchange, upstream, token)
        began, answer = time.monotonic(), None
        with suppress(UpstreamFailed):
            answer = await self.sender.client.fetch(upstream, request)
        if read.decision.cohort:
            status, seconds = answer.status_code if answer is not None else None, time.monotonic() - began
            self.counting.note(read.move.move, read.move.version, read.decision.cohort, status, seconds)
        return answer

    def _shadow(self, read: Read, request: http.Request, answer: http.Response) -> None:
        async def ask(name: str) -> http.Response | None:
            again, upstream = request.copy(), read.table.upstream(name)
            try:
                mark = ((forwarding.SHADOW, b"1"),)
                return await self.sender.fetch(again, read.exchange, read.table, upstream, mark)
            except (UpstreamFailed, IdentityUnknown):
                return None

        # The answer's header becomes the client's; what is compared is the upstream's own.
        method, path = read.exchange.method, read.exchange.path
        self.shadows.offer(Shadow(move=read.move, method=method, path=path, answer=answer.copy(), ask=ask))


def _can_be_sent_again(exchange: Exchange) -> bool:
    upgrade = forwarding.values(exchange.fields, b"upgrade")
    return exchange.method in ("GET", "HEAD") and not exchange.large and not upgrade
