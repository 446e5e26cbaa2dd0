"""The strangler-fig proxy as a mitmproxy addon: it routes, holds, replays and falls back; the rules are elsewhere.

A hook returns None where nothing had to be awaited, else what has to be (direct.py).
"""

from __future__ import annotations

import asyncio
import random
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from mitmproxy import http

from strangler_proxy import forwarding, journal, metrics, operators
from strangler_proxy.answers import Answer, as_json, not_found
from strangler_proxy.attempts import AGAIN, ALLOWANCE, Allowance, Failure
from strangler_proxy.beyond import Beyond
from strangler_proxy.connections import CONNECT_SECONDS
from strangler_proxy.counting import WRITES, Counting
from strangler_proxy.direct import Hooks, Waiting
from strangler_proxy.exchange import Exchange, begin
from strangler_proxy.gated import Gated, may_be_kept, of_length, to_be_kept
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities, IdentityUnknown
from strangler_proxy.operating_documents import DocumentOperators
from strangler_proxy.operating_keys import KeyOperators
from strangler_proxy.reads import Read, Reads
from strangler_proxy.refusal import Refusal, refusal_in
from strangler_proxy.refusing import LONGEST
from strangler_proxy.rehearsing import Rehearsals, can_be_kept
from strangler_proxy.resilience.guards import UNWELL, Guards, Known, Refused
from strangler_proxy.routes import Decision, MoveRoutes, RouteTable, Upstream, decide
from strangler_proxy.sending import Sender
from strangler_proxy.shadow import Shadows
from strangler_proxy.staff import Staff
from strangler_proxy.steps.caching import Caching
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.visit import Visit
from strangler_proxy.table import TableStore
from strangler_proxy.trust import NOBODY, Trusted
from strangler_proxy.upstreams import ANSWER_SECONDS, Client
from strangler_proxy.wrote import Wrote

if TYPE_CHECKING:
    from strangler_proxy.tracing import Tracing

REPLAY_SECONDS = 5.0
_ALLOWANCE = Allowance(connect=CONNECT_SECONDS, silence=ANSWER_SECONDS)
"""With who is asked where somebody else can be asked too."""
_RETRY_SECONDS = 0.05


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
        self._holds = holds
        self._in_flight: dict[str, int] = {}
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
            in_flight=self._in_flight,
            cache=cache,
        )
        cache.table_changed(store.table)
        self._guards = Guards()
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
                self._answer(flow, not_found())
            return None
        if (answer := self._gated.meet(exchange, flow.request, self._store.table)) is not None:
            exchange.own = True
            self._answer(flow, answer)
            return None
        if (longest := exchange.longest_body) is not None:
            lengths = forwarding.values(exchange.as_sent, b"content-length")
            if any(length.isdecimal() and int(length) > longest for length in lengths):
                exchange.visit = None  # no step has seen it
                self._answer(flow, _too_large(longest))
                return None
            flow.metadata[LONGEST] = longest
        if not exchange.large:
            return None
        flow.request.stream = True
        return self._send_on(flow, exchange)

    def too_large(self, flow: http.HTTPFlow) -> None:
        """A body that passes has become longer than a policy lets it be."""
        self._answer(flow, _too_large(flow.metadata[LONGEST]))

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
            if self._may_go_again(exchange) and may_be_kept(response):
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
        if (again := self._not_this(flow, exchange)) is not None:
            return again
        if flow.response is not None and exchange.visit is not None and to_be_kept(exchange.visit, flow.response):
            self._answer(flow, as_json(502, {"detail": "the answer is too long for what has to be done with it"}))
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
        if not exchange.finished and (again := self._not_this(flow, exchange)) is not None:
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
        self._over(exchange, False if flow.client_conn.connected else None)
        self._note(flow, exchange, 502)

    def attempt_failed(self, flow: http.HTTPFlow, failure: Failure) -> Waiting | None:
        """Nobody has answered, and the client has nothing yet: ask somebody else, where that may be."""
        exchange: Exchange = flow.metadata["strangler"]
        if exchange.refused is not None:
            self._not_replayed(flow, exchange, failure)
            return None
        read, exchange.read = exchange.read, None
        if read is not None:
            self._reads.unanswered(read, exchange)
        if (again := self._again(flow, exchange, read)) is not None:
            return again
        if exchange.resilience is not None:
            detail = "the upstream gave no answer in time" if failure.late else "the upstream gave no proper answer"
            self._answer(flow, as_json(504 if failure.late else 502, {"detail": detail}))
        return None

    async def _operate(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        answer = not_found()
        if exchange.path.startswith(operators.PREFIX) and self._for_operators(flow):
            answer = await self._operators.answer(
                exchange.method, exchange.path, exchange.authorization or "", flow.request.raw_content or b""
            )
        self._answer(flow, answer)

    def _for_operators(self, flow: http.HTTPFlow) -> bool:
        return self._operators_port in (None, flow.client_conn.sockname[1])

    def _send_on(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        return self._route(flow, exchange) if exchange.visit is None else self._visit(flow, exchange, exchange.visit)

    async def _visit(self, flow: http.HTTPFlow, exchange: Exchange, visit: Visit) -> None:
        """Have the gateway's policies kept, which may answer or change the request, before it is routed."""
        if (answer := await self._gated.enter(visit, exchange, flow.request)) is not None:
            exchange.visit = None  # the answer has been all the way back
            self._gated.over(visit)
            self._answer(flow, answer)
        elif (waiting := self._route(flow, exchange)) is not None:
            await waiting

    def _route(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        if exchange.is_write:
            move = self._store.table.move_of(exchange.path) if not exchange.stage else None
            if move is not None and self._holds.holds(move.move):
                return self._hold(flow, exchange, move.move)
        return self._choose(flow, exchange)

    async def _hold(self, flow: http.HTTPFlow, exchange: Exchange, move: str) -> None:
        self._over(exchange, None)
        exchange.held += await self._holds.wait(move)
        metrics.HELD.labels(move).inc()
        if (waiting := self._choose(flow, exchange)) is not None:
            await waiting

    def _choose(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Nothing was awaited since the look at the holds, so one that is acknowledged has seen every write."""
        if (move := self._staff.undecided(exchange, self._store.table)) is not None:
            return self._forward_when_known(flow, exchange, move)
        return self._forward(flow, exchange)

    async def _forward_when_known(self, flow: http.HTTPFlow, exchange: Exchange, move: MoveRoutes) -> None:
        await self._staff.ask(exchange, self._store.table, move)
        if (waiting := self._forward(flow, exchange)) is not None:
            await waiting

    def _forward(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        decision, table = self._decide(exchange), self._store.table
        entered = self._enter(exchange, table, decision)
        if isinstance(entered, Known):
            return self._queue(flow, exchange, entered)
        if entered is not None:
            return self._turned_away(flow, exchange, entered)
        return self._dispatch(flow, exchange, table, decision)

    def _dispatch(
        self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision
    ) -> Waiting | None:
        self._takes_off(exchange, decision)
        self._rehearsals.begin(exchange, table, decision, flow.request)
        exchange.read = self._reads.to_watch(exchange, table, decision)
        if (terms := exchange.resilience) is not None:
            flow.metadata[ALLOWANCE] = Allowance(connect=terms.connect, silence=terms.silence)
        elif exchange.read is not None:
            flow.metadata[ALLOWANCE] = _ALLOWANCE
        return self._direct(flow, exchange, table, decision)

    def _enter(self, exchange: Exchange, table: RouteTable, decision: Decision) -> Known | Refused | None:
        """Take what a policy wants to have taken of the upstream; None where that is done."""
        if (terms := exchange.resilience) is None or exchange.visit is None:
            return None
        guard, exchange.guard = exchange.guard, None
        policy = exchange.visit.policy.stated["resilience"]
        entered = self._guards.enter(guard, table.upstream(decision.upstream), policy, terms)
        if isinstance(entered, (Known, Refused)):
            return entered
        exchange.guard = entered
        return None

    async def _queue(self, flow: http.HTTPFlow, exchange: Exchange, known: Known) -> None:
        """Wait for a place; where the request goes, and whether it is held, is decided after that."""
        assert exchange.resilience is not None
        entered = await self._guards.wait(known, exchange.resilience)
        if isinstance(entered, Refused):
            waiting = self._turned_away(flow, exchange, entered)
        else:
            exchange.guard = entered
            waiting = self._route(flow, exchange)
        if waiting is not None:
            await waiting

    def _turned_away(self, flow: http.HTTPFlow, exchange: Exchange, refused: Refused) -> Waiting | None:
        """The upstream gets no more requests now: have the other side answer, or tell when to come again."""
        if (other := self._other_side(exchange)) is not None:
            table, decision = other
            if self._enter(exchange, table, decision) is None:
                self._falls_back(exchange, decision)
                return self._dispatch(flow, exchange, table, decision)
        self._answer(flow, as_json(503, {"detail": refused.why}, Retry_After=str(refused.seconds)))
        return None

    def _other_side(self, exchange: Exchange) -> tuple[RouteTable, Decision] | None:
        """The monolith, where a policy has it answer a read that a service fails, and it knows what is to be read."""
        table, decision = self._store.table, exchange.decision
        if exchange.resilience is None or not exchange.resilience.fallback or not exchange.repeatable:
            return None
        move = table.move(decision.move) if decision is not None and decision.move is not None else None
        if decision is None or move is None or move.final or decision.upstream == table.default:
            return None
        if table.default not in (move.owner, move.candidate):
            return None
        if move.owner != table.default and self._wrote.behind(move.move, exchange.client_key, exchange.cookies):
            return None
        reason = f"{decision.upstream} failed a read of {move.move}"
        return table, Decision(upstream=table.default, move=move.move, reason=reason)

    def _decide(self, exchange: Exchange) -> Decision:
        exchange.decision, exchange.table = self._decision(exchange), self._store.table
        return exchange.decision

    def _decision(self, exchange: Exchange) -> Decision:
        if exchange.stage and self._store.table.knows(exchange.stage):
            return Decision(upstream=exchange.stage, move=None, reason="the stage of its version")
        return decide(
            self._store.table,
            exchange.method,
            exchange.path,
            exchange.client_key,
            lambda move: self._wrote.behind(move, exchange.client_key, exchange.cookies),
            fields=exchange.as_sent,
            staff=lambda move: self._staff.known(exchange, move),
        )

    def _beyond(self, exchange: Exchange, request: http.Request) -> Beyond:
        return Beyond(
            exchange=exchange,
            request=request,
            store=self._store,
            wrote_by=self._wrote,
            staff=self._staff,
            sender=self._sender,
            decision=self._decision,
        )

    def _direct(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> Waiting | None:
        """Have mitmproxy itself send the request to the upstream that was chosen."""
        upstream = table.upstream(decision.upstream)
        if (known := self._sender.known(exchange, upstream)) is None:
            return self._direct_when_known(flow, exchange, table, upstream)
        self._address(flow.request, exchange, upstream, known[0])
        return None

    async def _direct_when_known(
        self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, upstream: Upstream
    ) -> None:
        try:
            token = await self._sender.token(exchange, table, upstream)
        except IdentityUnknown as error:
            read, exchange.read = exchange.read, None
            self._over(exchange, None)  # the monolith's silence says nothing of who was to be asked
            by_candidate = read is not None and read.by_candidate
            if by_candidate and (again := self._again(flow, exchange, read)) is not None:
                before = flow.metadata.get(AGAIN, False)
                await again
                if not before:
                    flow.metadata.pop(AGAIN, None)
                return
            self._landed(exchange)
            exchange.version = None  # the monolith's silence says nothing of the owner
            flow.metadata.pop(AGAIN, None)
            self._answer(flow, as_json(503, {"detail": f"{error}; try again"}, Retry_After="1"))
        else:
            self._address(flow.request, exchange, upstream, token)

    def _address(self, request: http.Request, exchange: Exchange, upstream: Upstream, token: str | None) -> None:
        self._sender.prepare(request, exchange, upstream, token)
        # Not by the request's own properties: the Host header stays the client's.
        request.data.host, request.data.port = upstream.address
        exchange.sent = time.monotonic()

    def _may_go_again(self, exchange: Exchange) -> bool:
        """Whether somebody else may be asked, so that nothing goes to the client before the answer is whole."""
        terms = exchange.resilience
        again = terms is not None and (terms.retry is not None or terms.fallback)
        return exchange.read is not None or (again and exchange.repeatable)

    def _not_this(self, flow: http.HTTPFlow, exchange: Exchange) -> Waiting | None:
        """Ask somebody else where the answer says that its upstream is unwell; None where it is to be taken."""
        unwell = flow.response is not None and flow.response.status_code in UNWELL
        if not unwell or flow.response is None or not self._may_go_again(exchange):
            return None
        read = exchange.read
        if (again := self._again(flow, exchange, read)) is not None and read is not None:
            self._reads.answered(read, exchange, flow.request, flow.response)
            exchange.read = None
        return again

    def _again(self, flow: http.HTTPFlow, exchange: Exchange, read: Read | None) -> Waiting | None:
        """Who is asked what an upstream has failed: the owner, the same one once more, the monolith; or nobody."""
        if exchange.guard is not None:
            self._guards.failed(exchange.guard)
        if not exchange.repeatable:
            return None
        other = self._other_side(exchange)
        if read is not None and read.by_candidate:
            reason = f"the candidate of {read.move.move} failed"
            other = read.table, Decision(upstream=read.move.owner, move=read.move.move, reason=reason)
        elif exchange.guard is not None and exchange.decision is not None and self._guards.retry(exchange.guard):
            return self._once_more(flow, exchange, exchange.guard.retries, exchange.decision)
        if other is None or self._enter(exchange, *other) is not None:
            return None
        return self._fall_back(flow, exchange, *other)

    async def _once_more(self, flow: http.HTTPFlow, exchange: Exchange, retries: int, decision: Decision) -> None:
        """After a moment, so that what fails together does not come again together."""
        await asyncio.sleep(random.uniform(0, _RETRY_SECONDS * 2**retries))  # noqa: S311 - it hides nothing
        await self._go(flow, exchange, self._store.table, decision)

    async def _fall_back(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> None:
        """Have one side answer what the other failed: a canary costs no client its answer."""
        self._falls_back(exchange, decision)
        await self._go(flow, exchange, table, decision)

    def _falls_back(self, exchange: Exchange, decision: Decision) -> None:
        metrics.FALLBACKS.labels(decision.move).inc()
        exchange.decision = decision

    async def _go(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision) -> None:
        flow.metadata[AGAIN] = True
        exchange.retries += 1
        if (waiting := self._direct(flow, exchange, table, decision)) is not None:
            await waiting

    async def _refused(self, flow: http.HTTPFlow, exchange: Exchange, refusal: Refusal) -> None:
        self._landed(exchange)
        self._over(exchange, None)
        exchange.refusal = None
        if not await self._replay(flow, exchange, refusal):
            await self._finish_and_note(flow, exchange, self._finish(flow, exchange))

    async def _replay(self, flow: http.HTTPFlow, exchange: Exchange, refusal: Refusal) -> bool:
        """Wait until the routes know a newer owner, and send a refused write there, once; whether that is done."""
        if not refusal.replay or flow.request.stream or flow.request.raw_content is None:
            return False
        if not await self._store.wait_for_term(refusal.move, refusal.term, REPLAY_SECONDS):
            metrics.REPLAYED.labels(refusal.move, "too late").inc()
            return False
        table, decision = self._store.table, self._decide(exchange)
        self._takes_off(exchange, decision)
        upstream = table.upstream(decision.upstream)
        try:
            token = await self._sender.token(exchange, table, upstream)
        except IdentityUnknown:
            # It never arrived: the refusal's own 503 tells the client to come again.
            metrics.REPLAYED.labels(refusal.move, "not sent").inc()
            return False
        exchange.replayed, exchange.refused = True, flow.response
        flow.metadata[ALLOWANCE], flow.metadata[AGAIN] = _ALLOWANCE, True
        exchange.retries += 1
        self._address(flow.request, exchange, upstream, token)
        return True

    def _not_replayed(self, flow: http.HTTPFlow, exchange: Exchange, failure: Failure) -> None:
        move = exchange.decision.move if exchange.decision is not None and exchange.decision.move else ""
        metrics.REPLAYED.labels(move, "unknown" if failure.sent else "not sent").inc()
        if failure.sent:
            self._answer(flow, as_json(502, {"detail": "the new owner broke off its answer"}))
        else:
            flow.response = exchange.refused
        exchange.refused = None

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

    def _answer(self, flow: http.HTTPFlow, answer: Answer) -> None:
        flow.response = http.Response.make(answer.status)
        flow.response.headers.fields = of_length(answer, flow.request.method)
        flow.response.raw_content = answer.body or b""

    def _takes_off(self, exchange: Exchange, decision: Decision) -> None:
        if decision.move is not None and exchange.is_write:
            exchange.in_flight = decision.move
            exchange.version = self._store.table.versions[decision.move]
            self._in_flight[decision.move] = self._in_flight.get(decision.move, 0) + 1

    def _landed(self, exchange: Exchange) -> None:
        if exchange.in_flight:
            self._in_flight[exchange.in_flight] -= 1
            exchange.in_flight = ""

    def _over(self, exchange: Exchange, well: bool | None) -> None:
        if exchange.guard is not None:
            self._guards.over(exchange.guard, well)
            exchange.guard = None

    def _note(self, flow: http.HTTPFlow, exchange: Exchange, status: int) -> None:
        self._landed(exchange)
        heard = exchange.guard.heard if exchange.guard is not None else None
        self._over(exchange, None if heard is None else heard not in UNWELL)
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
