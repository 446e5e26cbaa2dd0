"""The strangler-fig proxy as a mitmproxy addon: it routes, holds, replays and falls back; the rules are elsewhere.

A hook returns None where nothing had to be awaited, else what has to be (direct.py).
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from mitmproxy import http

from strangler_proxy import forwarding, journal, metrics, operators
from strangler_proxy.answers import Answer, as_json, not_found
from strangler_proxy.attempts import AGAIN, Failure
from strangler_proxy.beyond import Beyond
from strangler_proxy.counting import WRITES, Counting
from strangler_proxy.direct import Hooks, Waiting
from strangler_proxy.exchange import Exchange, begin
from strangler_proxy.gated import Gated, give, may_be_kept, to_be_kept
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities
from strangler_proxy.instead import Instead
from strangler_proxy.onward import Onward
from strangler_proxy.operating_documents import DocumentOperators
from strangler_proxy.operating_keys import KeyOperators
from strangler_proxy.reads import Reads
from strangler_proxy.refusal import Refusal, refusal_in
from strangler_proxy.refusing import LONGEST
from strangler_proxy.rehearsing import Rehearsals, can_be_kept
from strangler_proxy.resilience.guards import UNWELL, Guards
from strangler_proxy.sending import Sender
from strangler_proxy.shadow import Shadows
from strangler_proxy.staff import Staff
from strangler_proxy.steps.caching import Caching
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.visit import Visit
from strangler_proxy.table import TableStore
from strangler_proxy.trust import NOBODY, Trusted
from strangler_proxy.upstreams import Client
from strangler_proxy.wrote import Wrote

if TYPE_CHECKING:
    from strangler_proxy.tracing import Tracing

CLIENT_GONE = 499
"""Noted where a client went away before its answer, as other proxies note it; nobody gets it."""


class Strangler:
    """Collaborators are given; nothing here reads the world on its own."""

    def __init__(
        self,
        *,
        store: TableStore,
        holds: Holds,
        identities: Identities,
        client: Client,
        chain: Chain,
        cache: Caching,
        keys: KeyOperators,
        documents: DocumentOperators,
        token: str,
        operators_port: int | None = None,
        trusted: Trusted = NOBODY,
        tracing: Tracing | None = None,
    ) -> None:
        """With "operators_port" the operators' endpoints are on connections to that port alone, and nothing else is."""
        self._operators_port = operators_port
        self._trusted = trusted
        self._tracing = tracing
        self._store = store
        in_flight: dict[str, int] = {}
        self._counting = counting = Counting()
        counting.table_changed(store.table.versions)
        self._wrote = Wrote()
        shadows = Shadows()
        self._sender = Sender(client=client, identities=identities)
        self._staff = Staff(identities=identities)
        self._rehearsals = Rehearsals(sender=self._sender, shadows=shadows, secret=token)
        self._reads = Reads(sender=self._sender, counting=counting, shadows=shadows)
        self._operators = operators.Operators(
            token=token,
            store=store,
            holds=holds,
            counting=counting,
            wrote=self._wrote,
            shadows=shadows,
            keys=keys,
            documents=documents,
            in_flight=in_flight,
            cache=cache,
        )
        cache.table_changed(store.table)
        guards = Guards()
        self._onward = Onward(
            store=store,
            holds=holds,
            wrote=self._wrote,
            sender=self._sender,
            staff=self._staff,
            reads=self._reads,
            rehearsals=self._rehearsals,
            guards=guards,
            in_flight=in_flight,
        )
        self._instead = Instead(onward=self._onward, store=store, sender=self._sender, reads=self._reads, guards=guards)
        self._gated = Gated(chain=chain, beyond=self._beyond)
        metrics.WAITING.set_function(lambda: holds.waiting)

    @property
    def hooks(self) -> Hooks:
        """What is called at which moment of a request."""
        return {
            "requestheaders": self.requestheaders,
            "request": self.request,
            "responseheaders": self.responseheaders,
            "response": self.response,
            "too_long": self.too_long,
            "too_large": self.too_large,
            "attempt_failed": self.attempt_failed,
            "error": self.error,
        }

    def requestheaders(self, flow: http.HTTPFlow) -> Waiting | None:
        """Look at the request before its body; what is not kept for a replay goes on at once."""
        peer = flow.client_conn.peername
        exchange = begin(flow.request, peer[0] if peer else "unknown", self._trusted)
        flow.metadata["strangler"] = exchange
        if self._for_operators(flow) and self._operators_port is not None:
            exchange.own = True
        if self._tracing is not None and not exchange.own:
            self._tracing.begin(exchange, flow.request.headers.fields)
        if exchange.own:
            if exchange.large:
                give(flow, not_found())
            return None
        if (answer := self._gated.meet(exchange, flow.request, self._store.table)) is not None:
            exchange.own = True
            give(flow, answer)
            return None
        if (longest := exchange.longest_body) is not None:
            lengths = forwarding.values(exchange.as_sent, b"content-length")
            if any(length.isdecimal() and int(length) > longest for length in lengths):
                exchange.visit = None  # no step has seen it
                give(flow, _too_large(longest))
                return None
            flow.metadata[LONGEST] = longest
        if not exchange.large:
            return None
        flow.request.stream = True
        return self._send_on(flow, exchange)

    def too_large(self, flow: http.HTTPFlow) -> None:
        """A body that passes has become longer than a policy lets it be."""
        give(flow, _too_large(flow.metadata[LONGEST]))

    def request(self, flow: http.HTTPFlow) -> Waiting | None:
        """The whole request is here: answer it, or choose its upstream, waiting for a hold where there is one."""
        exchange: Exchange = flow.metadata["strangler"]
        if flow.response is not None or flow.request.stream:
            return None
        return self._operate(flow, exchange) if exchange.own else self._send_on(flow, exchange)

    def responseheaders(self, flow: http.HTTPFlow) -> Waiting | None:
        """Pass the answer on as it comes, unless it is a refusal, or a policy works on its body."""
        exchange: Exchange = flow.metadata["strangler"]
        response = flow.response
        if response is None or exchange.own or response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            return None
        if exchange.refused is not None:
            metrics.REPLAYED.labels(exchange.decision.move if exchange.decision else "", "sent").inc()
            exchange.refused = None
        exchange.refusal = _refusal(response, exchange)
        if exchange.refusal is not None:
            return None
        if response.raw_content is None:
            if exchange.guard is not None:
                exchange.guard.heard = response.status_code
            if self._instead.may_be_asked(exchange) and may_be_kept(response):
                return None
            if exchange.visit is not None and to_be_kept(exchange.visit, response):
                return None
            if exchange.rehearsal is not None and can_be_kept(response):
                return None
            response.stream = True
        return self._finish(flow, exchange)

    def too_long(self, flow: http.HTTPFlow) -> Waiting | None:
        """An answer that was to be kept is too long for that: it passes as it comes."""
        exchange: Exchange = flow.metadata["strangler"]
        exchange.refusal = None
        if (again := self._instead.not_this(flow, exchange)) is not None:
            return again
        if flow.response is not None and exchange.visit is not None and to_be_kept(exchange.visit, flow.response):
            give(flow, as_json(502, {"detail": "the answer is too long for what has to be done with it"}))
            return None
        if flow.response is not None:
            flow.response.stream = True
        return self._finish(flow, exchange)

    def response(self, flow: http.HTTPFlow) -> Waiting | None:
        """The whole answer is here, or has passed: send a refused request again, and take note."""
        exchange: Exchange = flow.metadata["strangler"]
        if exchange.refusal is not None:
            self._rehearsals.end(exchange, None)
            return self._refused(flow, exchange, exchange.refusal)
        if not exchange.finished and (again := self._instead.not_this(flow, exchange)) is not None:
            return self._note_unless_again(flow, exchange, again)
        if exchange.read is not None and flow.response is not None:
            self._reads.answered(exchange.read, exchange, flow.request, flow.response)
            exchange.read = None
        if not exchange.finished and flow.response is not None:
            self._rehearsals.end(exchange, flow.response.copy())
        if exchange.visit is not None and flow.response is not None:
            self._gated.passed(flow.response)
        if not exchange.finished and (waiting := self._finish(flow, exchange)) is not None:
            return self._finish_and_note(flow, exchange, waiting)
        self._note(flow, exchange, flow.response.status_code if flow.response else 0)
        return None

    def error(self, flow: http.HTTPFlow) -> None:
        """Nobody answered, or the client went away."""
        exchange = flow.metadata.get("strangler")
        if not isinstance(exchange, Exchange):
            return
        if exchange.read is not None and flow.client_conn.connected:
            self._reads.unanswered(exchange.read, exchange)
        self._onward.over(exchange, False if flow.client_conn.connected else None)
        self._note(flow, exchange, 502 if flow.client_conn.connected else CLIENT_GONE)

    def attempt_failed(self, flow: http.HTTPFlow, failure: Failure) -> Waiting | None:
        """Nobody has answered, and the client has nothing yet: ask somebody else, where that may be."""
        exchange: Exchange = flow.metadata["strangler"]
        if exchange.refused is not None:
            self._instead.not_replayed(flow, exchange, failure)
            return None
        read, exchange.read = exchange.read, None
        if read is not None:
            self._reads.unanswered(read, exchange)
        if (again := self._instead.instead(flow, exchange, read)) is not None:
            return again
        if exchange.resilience is not None:
            detail = "the upstream gave no answer in time" if failure.late else "the upstream gave no proper answer"
            give(flow, as_json(504 if failure.late else 502, {"detail": detail}))
        return None

    async def _operate(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        answer = not_found()
        if exchange.path.startswith(operators.PREFIX) and self._for_operators(flow):
            answer = await self._operators.answer(
                exchange.method, exchange.path, exchange.authorization or "", flow.request.raw_content or b""
            )
        give(flow, answer)

    def _for_operators(self, flow: http.HTTPFlow) -> bool:
        return self._operators_port in (None, flow.client_conn.sockname[1])

    def _send_on(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        return (
            self._onward.route(flow, exchange)
            if exchange.visit is None
            else self._visit(flow, exchange, exchange.visit)
        )

    async def _visit(self, flow: http.HTTPFlow, exchange: Exchange, visit: Visit) -> None:
        """Have the gateway's policies kept, which may answer or change the request, before it is routed."""
        if (answer := await self._gated.enter(visit, exchange, flow.request)) is not None:
            exchange.visit = None  # the answer has been all the way back
            self._gated.over(visit)
            give(flow, answer)
        elif (waiting := self._onward.route(flow, exchange)) is not None:
            await waiting

    def _beyond(self, exchange: Exchange, request: http.Request) -> Beyond:
        return Beyond(
            exchange=exchange,
            request=request,
            store=self._store,
            wrote_by=self._wrote,
            staff=self._staff,
            sender=self._sender,
            decision=self._onward.decision,
        )

    async def _refused(self, flow: http.HTTPFlow, exchange: Exchange, refusal: Refusal) -> None:
        self._onward.landed(exchange)
        self._onward.over(exchange, None)
        exchange.refusal = None
        if not await self._instead.replay(flow, exchange, refusal):
            await self._finish_and_note(flow, exchange, self._finish(flow, exchange))

    async def _note_unless_again(self, flow: http.HTTPFlow, exchange: Exchange, again: Waiting) -> None:
        await again
        if AGAIN not in flow.metadata and flow.response is not None:
            self._note(flow, exchange, flow.response.status_code)

    async def _finish_and_note(self, flow: http.HTTPFlow, exchange: Exchange, finishing: Waiting | None) -> None:
        if finishing is not None:
            await finishing
        self._note(flow, exchange, flow.response.status_code if flow.response else 0)

    def _finish(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Make an upstream's answer the client's."""
        assert flow.response is not None
        exchange.finished = True
        if exchange.visit is not None:
            return self._leave(flow.response, exchange, exchange.visit)
        self._complete(flow.response, exchange)
        return None

    async def _leave(self, response: http.Response, exchange: Exchange, visit: Visit) -> None:
        await self._gated.leave(visit, exchange, response)
        self._complete(response, exchange)

    def _complete(self, response: http.Response, exchange: Exchange) -> None:
        fields = forwarding.answered(response.headers.fields)
        move = exchange.decision.move if exchange.decision is not None else None
        if move is not None and exchange.new_client:
            fields = (*fields, (b"Set-Cookie", forwarding.client_cookie(exchange.client_key)))
        if move is not None and exchange.is_write:
            fields = (*fields, (b"Set-Cookie", self._wrote.answered(move, exchange.client_key)))
        response.headers.fields = fields

    def _note(self, flow: http.HTTPFlow, exchange: Exchange, status: int) -> None:
        self._onward.landed(exchange)
        heard = exchange.guard.heard if exchange.guard is not None else None
        self._onward.over(exchange, None if heard is None else heard not in UNWELL)
        self._rehearsals.end(exchange, None)  # where it has not been compared
        if exchange.version is not None and exchange.decision is not None and flow.client_conn.connected:
            # Whoever went away has cut the answer off, which is not the owner's fault.
            move, seconds = exchange.decision.move or "", time.monotonic() - exchange.began - exchange.held
            self._counting.note(move, exchange.version, WRITES, status or None, seconds)
        if exchange.visit is not None:
            self._gated.over(exchange.visit)
        if not exchange.own:
            journal.note(exchange, status)
        if self._tracing is not None:
            self._tracing.end(exchange, status)


def _too_large(longest: int) -> Answer:
    return as_json(413, {"detail": f"the body is longer than {longest} bytes"})


def _refusal(response: http.Response, exchange: Exchange) -> Refusal | None:
    """What a fence says. An answer of another status, or of another move's upstream, cannot say it.

    Who was sent on once is not sent on again, and whom a candidate refuses the owner answers.
    """
    if exchange.replayed or (exchange.read is not None and exchange.read.by_candidate):
        return None
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    refusal = refusal_in(response.headers.fields)
    move = exchange.decision.move if exchange.decision is not None else None
    return refusal if refusal is not None and move in (None, refusal.move) else None
