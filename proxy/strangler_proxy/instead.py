"""What is asked of somebody else: what an upstream has failed, and what one refused that does not own any more."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy import metrics
from strangler_proxy.answers import as_json
from strangler_proxy.attempts import AGAIN, ALLOWANCE, Failure
from strangler_proxy.direct import Waiting
from strangler_proxy.exchange import Exchange
from strangler_proxy.gated import give
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.onward import ALLOWED, Onward, to_owner
from strangler_proxy.reads import Read, Reads
from strangler_proxy.refusal import Refusal
from strangler_proxy.resilience.guards import UNWELL, Guards
from strangler_proxy.routes import Decision, RouteTable
from strangler_proxy.sending import Sender
from strangler_proxy.table import TableStore

REPLAY_SECONDS = 5.0
_RETRY_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Instead:
    """Sends requests on their way once more."""

    onward: Onward
    store: TableStore
    sender: Sender
    reads: Reads
    guards: Guards

    def may_be_asked(self, exchange: Exchange) -> bool:
        """Whether somebody else may be asked, so that nothing goes to the client before the answer is whole."""
        terms = exchange.resilience
        again = terms is not None and (terms.retry is not None or terms.fallback)
        return exchange.read is not None or (again and exchange.repeatable)

    def not_this(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Ask somebody else where the answer says that its upstream is unwell; None where it is to be taken."""
        unwell = flow.response is not None and flow.response.status_code in UNWELL
        if not unwell or flow.response is None or not self.may_be_asked(exchange):
            return None
        read = exchange.read
        if (again := self.instead(flow, exchange, read)) is not None and read is not None:
            self.reads.answered(read, exchange, flow.request, flow.response)
            exchange.read = None
        return again

    def instead(self, flow: http.HTTPFlow, exchange: Exchange, read: Read | None) -> Waiting | None:
        """Who is asked what an upstream has failed: the owner, the same one once more, the monolith; or nobody."""
        if exchange.guard is not None:
            self.guards.failed(exchange.guard)
        if not exchange.repeatable:
            return None
        other = self.onward.other_side(exchange)
        if read is not None and read.by_candidate:
            other = read.table, to_owner(read)
        elif exchange.guard is not None and exchange.decision is not None and self.guards.retry(exchange.guard):
            return self._once_more(flow, exchange, exchange.guard.retries, exchange.decision)
        if other is None or self.onward.enter(exchange, *other) is not None:
            return None
        return self._fall_back(flow, exchange, *other)

    async def _once_more(self, flow: http.HTTPFlow, exchange: Exchange, retries: int, decision: Decision) -> None:
        """After a moment, so that what fails together does not come again together."""
        await asyncio.sleep(random.uniform(0, _RETRY_SECONDS * 2**retries))  # noqa: S311 - it hides nothing
        await self._go(flow, exchange, self.store.table, decision)

    async def _fall_back(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> None:
        """Have one side answer what the other failed: a canary costs no client its answer."""
        self.onward.falls_back(exchange, decision)
        await self._go(flow, exchange, table, decision)

    async def _go(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> None:
        flow.metadata[AGAIN] = True
        exchange.retries += 1
        if (waiting := self.onward.direct(flow, exchange, table, decision)) is not None:
            await waiting

    async def replay(self, flow: http.HTTPFlow, exchange: Exchange, refusal: Refusal) -> bool:
        """Wait until the routes know a newer owner, and send a refused write there, once; whether that is done."""
        if not refusal.replay or flow.request.stream or flow.request.raw_content is None:
            return False
        if not await self.store.wait_for_term(refusal.move, refusal.term, REPLAY_SECONDS):
            metrics.REPLAYED.labels(refusal.move, "too late").inc()
            return False
        table, decision = self.store.table, self.onward.decide(exchange)
        self.onward.takes_off(exchange, decision)
        upstream = table.upstream(decision.upstream)
        try:
            token = await self.sender.token(exchange, table, upstream)
        except IdentityUnknown:
            # It never arrived: the refusal's own 503 tells the client to come again.
            metrics.REPLAYED.labels(refusal.move, "not sent").inc()
            return False
        exchange.replayed, exchange.refused = True, flow.response
        flow.metadata[ALLOWANCE], flow.metadata[AGAIN] = ALLOWED, True
        exchange.retries += 1
        self.onward.address(flow.request, exchange, upstream, token)
        return True

    def not_replayed(self, flow: http.HTTPFlow, exchange: Exchange, failure: Failure) -> None:
        """Nobody answered a write that was sent once more."""
        move = exchange.decision.move if exchange.decision is not None and exchange.decision.move else ""
        metrics.REPLAYED.labels(move, "unknown" if failure.sent else "not sent").inc()
        if failure.sent:
            give(flow, as_json(502, {"detail": "the new owner broke off its answer"}))
        else:
            flow.response = exchange.refused
        exchange.refused = None
