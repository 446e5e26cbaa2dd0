"""Where a request goes: held, decided, bounded by a policy, and addressed to its upstream."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy import metrics
from strangler_proxy.answers import as_json
from strangler_proxy.attempts import AGAIN, ALLOWANCE, Allowance
from strangler_proxy.connections import CONNECT_SECONDS
from strangler_proxy.direct import Waiting
from strangler_proxy.exchange import Exchange
from strangler_proxy.gated import give
from strangler_proxy.holds import Holds
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.reads import Read, Reads
from strangler_proxy.rehearsing import Rehearsals
from strangler_proxy.resilience.guards import Guards, Known, Refused
from strangler_proxy.routes import Decision, MoveRoutes, RouteTable, Upstream, decide
from strangler_proxy.sending import Sender
from strangler_proxy.staff import Staff
from strangler_proxy.table import TableStore
from strangler_proxy.upstreams import ANSWER_SECONDS
from strangler_proxy.wrote import Wrote

ALLOWED = Allowance(connect=CONNECT_SECONDS, silence=ANSWER_SECONDS)
"""To whom is asked where somebody else can be asked too."""


@dataclass(frozen=True, kw_only=True)
class Onward:
    """Sends requests on their way. "in_flight" counts the writes of a move that are on theirs."""

    store: TableStore
    holds: Holds
    wrote: Wrote
    sender: Sender
    staff: Staff
    reads: Reads
    rehearsals: Rehearsals
    guards: Guards
    in_flight: dict[str, int]

    def route(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Send it on, waiting for a hold where there is one."""
        if exchange.is_write:
            move = self.store.table.move_of(exchange.path) if not exchange.stage else None
            if move is not None and self.holds.holds(move.move):
                return self._hold(flow, exchange, move.move)
        return self._choose(flow, exchange)

    async def _hold(self, flow: http.HTTPFlow, exchange: Exchange, move: str) -> None:
        self.over(exchange, None)
        exchange.held += await self.holds.wait(move)
        metrics.HELD.labels(move).inc()
        if (waiting := self._choose(flow, exchange)) is not None:
            await waiting

    def _choose(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Nothing was awaited since the look at the holds, so one that is acknowledged has seen every write."""
        if (move := self.staff.undecided(exchange, self.store.table)) is not None:
            return self._forward_when_known(flow, exchange, move)
        return self._forward(flow, exchange)

    async def _forward_when_known(self, flow: http.HTTPFlow, exchange: Exchange, move: MoveRoutes) -> None:
        await self.staff.ask(exchange, self.store.table, move)
        if (waiting := self._forward(flow, exchange)) is not None:
            await waiting

    def _forward(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        decision, table = self.decide(exchange), self.store.table
        entered = self.enter(exchange, table, decision)
        if isinstance(entered, Known):
            return self._queue(flow, exchange, entered)
        if entered is not None:
            return self._turned_away(flow, exchange, entered)
        return self.dispatch(flow, exchange, table, decision)

    def dispatch(
        self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision
    ) -> Waiting | None:
        """Have it go to the upstream that was decided on, and take note of it."""
        self.takes_off(exchange, decision)
        self.rehearsals.begin(exchange, table, decision, flow.request)
        exchange.read = self.reads.to_watch(exchange, table, decision)
        if (terms := exchange.resilience) is not None:
            flow.metadata[ALLOWANCE] = Allowance(connect=terms.connect, silence=terms.silence)
        elif exchange.read is not None:
            flow.metadata[ALLOWANCE] = ALLOWED
        return self.direct(flow, exchange, table, decision)

    def enter(self, exchange: Exchange, table: RouteTable, decision: Decision) -> Known | Refused | None:
        """Take what a policy wants to have taken of the upstream; None where that is done."""
        if (terms := exchange.resilience) is None or exchange.visit is None:
            return None
        guard, exchange.guard = exchange.guard, None
        policy = exchange.visit.policy.stated["resilience"]
        entered = self.guards.enter(guard, table.upstream(decision.upstream), policy, terms)
        if isinstance(entered, (Known, Refused)):
            return entered
        exchange.guard = entered
        return None

    async def _queue(self, flow: http.HTTPFlow, exchange: Exchange, known: Known) -> None:
        """Wait for a place; where the request goes, and whether it is held, is decided after that."""
        assert exchange.resilience is not None
        entered = await self.guards.wait(known, exchange.resilience)
        if isinstance(entered, Refused):
            waiting = self._turned_away(flow, exchange, entered)
        else:
            exchange.guard = entered
            waiting = self.route(flow, exchange)
        if waiting is not None:
            await waiting

    def _turned_away(self, flow: http.HTTPFlow, exchange: Exchange, refused: Refused) -> Waiting | None:
        """The upstream gets no more requests now: have the other side answer, or tell when to come again."""
        if (other := self.other_side(exchange)) is not None:
            table, decision = other
            if self.enter(exchange, table, decision) is None:
                self.falls_back(exchange, decision)
                return self.dispatch(flow, exchange, table, decision)
        give(flow, as_json(503, {"detail": refused.why}, Retry_After=str(refused.seconds)))
        return None

    def other_side(self, exchange: Exchange) -> tuple[RouteTable, Decision] | None:
        """The monolith, where a policy has it answer a read that a service fails, and it knows what is to be read."""
        table, decision = self.store.table, exchange.decision
        if exchange.resilience is None or not exchange.resilience.fallback or not exchange.repeatable:
            return None
        move = table.move(decision.move) if decision is not None and decision.move is not None else None
        if decision is None or move is None or move.final or decision.upstream == table.default:
            return None
        if table.default not in (move.owner, move.candidate):
            return None
        if move.owner != table.default and self.wrote.behind(move.move, exchange.client_key, exchange.cookies):
            return None
        reason = f"{decision.upstream} failed a read of {move.move}"
        return table, Decision(upstream=table.default, move=move.move, reason=reason)

    def decide(self, exchange: Exchange) -> Decision:
        """Decide, for good."""
        exchange.decision, exchange.table = self.decision(exchange), self.store.table
        return exchange.decision

    def decision(self, exchange: Exchange) -> Decision:
        """Where it goes by the table in force."""
        if exchange.stage and self.store.table.knows(exchange.stage):
            return Decision(upstream=exchange.stage, move=None, reason="the stage of its version")
        return decide(
            self.store.table,
            exchange.method,
            exchange.path,
            exchange.client_key,
            lambda move: self.wrote.behind(move, exchange.client_key, exchange.cookies),
            fields=exchange.as_sent,
            staff=lambda move: self.staff.known(exchange, move),
        )

    def direct(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> Waiting | None:
        """Have mitmproxy itself send the request to the upstream that was chosen."""
        upstream = table.upstream(decision.upstream)
        if (known := self.sender.known(exchange, upstream)) is None:
            return self._direct_when_known(flow, exchange, table, upstream)
        self.address(flow.request, exchange, upstream, known[0])
        return None

    async def _direct_when_known(
        self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, upstream: Upstream
    ) -> None:
        try:
            token = await self.sender.token(exchange, table, upstream)
        except IdentityUnknown as error:
            read, exchange.read = exchange.read, None
            self.over(exchange, None)  # the monolith's silence says nothing of who was to be asked
            if read is not None and read.by_candidate:
                decision = to_owner(read)
                if self.enter(exchange, table, decision) is None:
                    self.falls_back(exchange, decision)
                    if (waiting := self.direct(flow, exchange, table, decision)) is not None:
                        await waiting
                    return
            self.landed(exchange)
            exchange.version = None  # the monolith's silence says nothing of the owner
            flow.metadata.pop(AGAIN, None)
            give(flow, as_json(503, {"detail": f"{error}; try again"}, Retry_After="1"))
        else:
            self.address(flow.request, exchange, upstream, token)

    def address(self, request: http.Request, exchange: Exchange, upstream: Upstream, token: str | None) -> None:
        """The upstream is told what it is to see."""
        self.sender.prepare(request, exchange, upstream, token)
        # Not by the request's own properties: the Host header stays the client's.
        request.data.host, request.data.port = upstream.address
        exchange.sent = time.monotonic()

    def falls_back(self, exchange: Exchange, decision: Decision) -> None:
        """Another side than the one that was decided on answers."""
        metrics.FALLBACKS.labels(decision.move).inc()
        exchange.decision = decision

    def takes_off(self, exchange: Exchange, decision: Decision) -> None:
        """A write of a move is on its way."""
        if decision.move is not None and exchange.is_write:
            exchange.in_flight = decision.move
            exchange.version = self.store.table.versions[decision.move]
            self.in_flight[decision.move] = self.in_flight.get(decision.move, 0) + 1

    def landed(self, exchange: Exchange) -> None:
        """It is no more."""
        if exchange.in_flight:
            self.in_flight[exchange.in_flight] -= 1
            exchange.in_flight = ""

    def over(self, exchange: Exchange, well: bool | None) -> None:
        """It needs nothing of its upstream any more; None where that says nothing of it."""
        if exchange.guard is not None:
            self.guards.over(exchange.guard, well)
            exchange.guard = None


def to_owner(read: Read) -> Decision:
    """What the candidate failed the owner answers: a canary costs no client its answer."""
    reason = f"the candidate of {read.move.move} failed"
    return Decision(upstream=read.move.owner, move=read.move.move, reason=reason)
