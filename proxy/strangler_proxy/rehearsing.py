"""Writes that the candidate rehearses while their owner answers them. No client waits for that.

The candidate begins at the same time as the owner, since the owner's write arrives there soon. What is kept is
bounded: how many are under way, and their answers' bodies.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from mitmproxy import http

from strangler_proxy import forwarding
from strangler_proxy.effects import ASKED, REHEARSAL, SHOWN, token_for
from strangler_proxy.exchange import Exchange
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.routes import BUCKETS, Decision, MoveRoutes, RouteTable
from strangler_proxy.sending import Sender
from strangler_proxy.shadow import LONGEST_BODY, Shadows
from strangler_proxy.upstreams import UpstreamFailed

AT_ONCE = 16
"""Rehearsals under way in a proxy; more are dropped, and counted."""


@dataclass(kw_only=True)
class Rehearsal:
    """A write whose owner has not answered yet, and what the candidate says of it."""

    move: MoveRoutes
    request: tuple[str, str]
    answer: asyncio.Task[http.Response | None]


@dataclass(frozen=True, kw_only=True)
class Rehearsals:
    """One proxy's rehearsals. "secret" is what the tokens for the upstreams are made of."""

    sender: Sender
    shadows: Shadows
    secret: str
    chance: Callable[[], float] = random.random
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _begun: list[Rehearsal] = field(default_factory=list)

    def begin(self, exchange: Exchange, table: RouteTable, decision: Decision, request: http.Request) -> None:
        """Have the write rehearsed and its owner asked what it changes, if it is one of the share."""
        move = table.move(decision.move) if exchange.is_write and decision.move is not None else None
        if move is None or not move.shadow_writes or exchange.large or request.raw_content is None:
            return
        if exchange.replayed:
            return
        if self.chance() * BUCKETS >= move.shadow_writes:
            return
        if len(self._begun) + len(self._under_way) >= AT_ONCE:
            self.shadows.dropped(move)
            return
        exchange.also = ((ASKED, move.move.encode()), (SHOWN, token_for(self.secret, move.owner).encode()))
        # As it was before anybody prepared it for an upstream, and not on its way to the owner.
        alone, copied = replace(exchange, in_flight="", also=(), rehearsal=None), request.copy()
        answer = asyncio.create_task(self._ask(move, alone, table, copied))
        exchange.rehearsal = Rehearsal(move=move, request=(exchange.method, exchange.path), answer=answer)
        self._begun.append(exchange.rehearsal)

    def end(self, exchange: Exchange, owner: http.Response | None) -> None:
        """Have the owner's answer, or that there is none, compared with the candidate's when that is here."""
        rehearsal = exchange.rehearsal
        if rehearsal is None:
            return
        exchange.rehearsal = None
        self._begun.remove(rehearsal)
        task = asyncio.create_task(self._compare(rehearsal, owner))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _ask(
        self, move: MoveRoutes, exchange: Exchange, table: RouteTable, request: http.Request
    ) -> http.Response | None:
        upstream = table.upstream(move.candidate)
        mark = (
            (forwarding.SHADOW, b"1"),
            (REHEARSAL, move.move.encode()),
            (SHOWN, token_for(self.secret, upstream.name).encode()),
        )
        try:
            return await self.sender.fetch(request, exchange, table, upstream, mark, longest=LONGEST_BODY)
        except (UpstreamFailed, IdentityUnknown):
            return None

    async def _compare(self, rehearsal: Rehearsal, owner: http.Response | None) -> None:
        candidate = await rehearsal.answer
        self.shadows.rehearsed(rehearsal.move, rehearsal.request, owner, candidate)


def can_be_kept(response: http.Response) -> bool:
    """Whether an answer says that it is short enough to be compared."""
    size = "0" if response.status_code == HTTPStatus.NO_CONTENT else response.headers.get("content-length", "")
    return size.isdecimal() and int(size) <= LONGEST_BODY
