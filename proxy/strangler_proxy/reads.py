"""Reads that are counted, those of a canary's cohorts, and those that are shadowed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy import forwarding
from strangler_proxy.counting import Counting
from strangler_proxy.exchange import Exchange
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.resilience.guards import UNWELL
from strangler_proxy.routes import BUCKETS, Decision, MoveRoutes, RouteTable
from strangler_proxy.sending import Sender
from strangler_proxy.shadow import Shadow, Shadows
from strangler_proxy.upstreams import TooLong, UpstreamFailed


@dataclass(frozen=True, kw_only=True)
class Read:
    """A read that is looked at, as it was decided under one table."""

    table: RouteTable
    decision: Decision
    move: MoveRoutes
    shadowed: bool

    @property
    def by_candidate(self) -> bool:
        """Whether the owner can answer what the candidate fails."""
        return self.decision.upstream != self.move.owner


@dataclass(frozen=True, kw_only=True)
class Reads:
    """Both cohorts' reads go the same way, so that they can be compared."""

    sender: Sender
    counting: Counting
    shadows: Shadows
    chance: Callable[[], float] = random.random

    def to_watch(self, exchange: Exchange, table: RouteTable, decision: Decision) -> Read | None:
        """The read, if it is to be counted or shadowed."""
        move = table.move(decision.move) if decision.move is not None else None
        if move is None or not (decision.cohort or move.shadow) or not exchange.repeatable:
            return None
        shadowed = not decision.settled and decision.upstream == move.owner and self.chance() * BUCKETS < move.shadow
        if not decision.cohort and not shadowed:
            return None
        return Read(table=table, decision=decision, move=move, shadowed=shadowed)

    def answered(self, read: Read, exchange: Exchange, request: http.Request, answer: http.Response) -> None:
        """Its answer, as the upstream gave it, is here or has passed."""
        self._count(read, exchange, answer.status_code)
        if read.shadowed and answer.status_code not in UNWELL:
            self._shadow(read, exchange, request, answer)

    def unanswered(self, read: Read, exchange: Exchange) -> None:
        """Its upstream gave no proper answer."""
        self._count(read, exchange, None)

    def _count(self, read: Read, exchange: Exchange, status: int | None) -> None:
        if read.decision.cohort:
            seconds = time.monotonic() - exchange.sent
            self.counting.note(read.move.move, read.move.version, read.decision.cohort, status, seconds)

    def _shadow(self, read: Read, exchange: Exchange, request: http.Request, answer: http.Response) -> None:
        async def ask(name: str) -> http.Response | None:
            again, upstream = request.copy(), read.table.upstream(name)
            mark = ((forwarding.SHADOW, b"1"),)
            try:
                return await self.sender.fetch(again, exchange, read.table, upstream, mark)
            except TooLong:
                raise
            except (UpstreamFailed, IdentityUnknown):
                return None

        # The answer's header becomes the client's; what is compared is the upstream's own.
        method, path = exchange.method, exchange.path
        self.shadows.offer(Shadow(move=read.move, method=method, path=path, answer=answer.copy(), ask=ask))
