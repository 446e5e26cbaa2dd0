"""The strangler-fig proxy as a mitmproxy addon: it routes, holds, replays and falls back; the rules are elsewhere."""

from __future__ import annotations

import json
import logging
import posixpath
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

import httpx
from mitmproxy import http

from strangler_proxy import forwarding, metrics, operators
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities, IdentityUnknown
from strangler_proxy.refusal import HEADER, Refusal, parse_refusal
from strangler_proxy.routes import SAFE_METHODS, Decision, RouteTable, decide
from strangler_proxy.table import TableStore
from strangler_proxy.upstreams import fetch

BUFFERED = 1 << 20
"""Bytes of a write's body that are kept so that it can wait and be sent again; larger ones are streamed."""
REPLAY_SECONDS = 5.0
_UNWELL = frozenset({502, 503, 504})
_CSRF_COOKIE = "csrftoken"

access = logging.getLogger("strangler_proxy.access")


@dataclass(kw_only=True)
class Exchange:
    """What the addon remembers of one request until it is answered."""

    client_key: str
    new_client: bool
    cookies: list[str]
    authorization: str | None
    began: float = field(default_factory=time.monotonic)
    decision: Decision | None = None
    in_flight: str = ""
    own: bool = False  # the proxy answers itself
    held: float = 0.0
    refusal: Refusal | None = None


class Strangler:
    """Collaborators are given; nothing here reads the world on its own."""

    def __init__(
        self, *, store: TableStore, holds: Holds, identities: Identities, client: httpx.AsyncClient, token: str
    ) -> None:
        self._store = store
        self._holds = holds
        self._identities = identities
        self._client = client
        self._in_flight: dict[str, int] = {}
        self._operators = operators.Operators(token=token, store=store, holds=holds, in_flight=self._in_flight)
        metrics.WAITING.set_function(lambda: holds.waiting)

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Look at the request before its body; what is not kept for a replay goes on at once."""
        exchange = _exchange(flow)
        flow.metadata["strangler"] = exchange
        large = _large(flow.request)
        if _is_ours(flow.request.path):
            exchange.own = True
            if large:
                self._answer(flow, operators.not_found())
            return
        peer = flow.client_conn.peername
        forwarding.prepare_request(flow.request.headers, peer[0] if peer else "unknown", flow.request.scheme)
        if large:
            flow.request.stream = True
            await self._send_on(flow, exchange)

    async def request(self, flow: http.HTTPFlow) -> None:
        """The whole request is here: answer it, or choose its upstream, waiting for a hold where there is one."""
        exchange: Exchange = flow.metadata["strangler"]
        if flow.response is not None or flow.request.stream:
            return
        if exchange.own:
            answer = operators.not_found()
            if flow.request.path.startswith(operators.PREFIX):
                answer = await self._operators.answer(
                    flow.request.method,
                    flow.request.path,
                    exchange.authorization or "",
                    flow.request.raw_content or b"",
                )
            self._answer(flow, answer)
            return
        await self._send_on(flow, exchange)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Pass the answer on as it comes, unless it is a refusal."""
        exchange: Exchange = flow.metadata["strangler"]
        response = flow.response
        if response is None or exchange.own or response.status_code == httpx.codes.SWITCHING_PROTOCOLS:
            return
        exchange.refusal = parse_refusal(response.headers.get(HEADER))
        if exchange.refusal is not None:
            return
        self._finish(flow, exchange)
        if response.raw_content is None:
            response.stream = True

    async def response(self, flow: http.HTTPFlow) -> None:
        """The whole answer is here, or has passed: send a refused request again, and take note."""
        exchange: Exchange = flow.metadata["strangler"]
        if exchange.refusal is not None:
            self._landed(exchange)
            await self._replay(flow, exchange, exchange.refusal)
            self._finish(flow, exchange)
        self._note(flow, exchange, flow.response.status_code if flow.response else 0)

    def error(self, flow: http.HTTPFlow) -> None:
        """Nobody answered, or the client went away."""
        exchange = flow.metadata.get("strangler")
        if isinstance(exchange, Exchange):
            self._note(flow, exchange, 502)

    async def _send_on(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        request = flow.request
        move = self._store.table.move_of(request.path)
        if move is not None and request.method not in SAFE_METHODS:
            exchange.held = await self._holds.wait(move.move)
            if exchange.held > 0:
                metrics.HELD.labels(move.move).inc()
        # From here to the choice nothing is awaited, so that a hold that is acknowledged has seen every write.
        decision = self._decide(request, exchange)
        self._takes_off(request, exchange, decision)
        table = self._store.table
        owner = table.move(decision.move) if decision.move is not None else None
        may_fall_back = request.method in ("GET", "HEAD") and not request.stream
        if owner is not None and decision.upstream != owner.owner and may_fall_back:
            if await self._read_from_candidate(flow, exchange, table, decision):
                return
            metrics.FALLBACKS.labels(owner.move).inc()
            exchange.decision = Decision(
                upstream=owner.owner, move=owner.move, reason=f"the candidate of {owner.move} failed"
            )
        await self._direct(flow, exchange, table)

    def _decide(self, request: http.Request, exchange: Exchange) -> Decision:
        decision = decide(self._store.table, request.method, request.path, exchange.client_key)
        exchange.decision = decision
        return decision

    async def _direct(self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable) -> None:
        """Have mitmproxy itself send the request to the upstream that was chosen."""
        assert exchange.decision is not None
        try:
            await self._identify(flow.request, exchange, table, exchange.decision.upstream)
        except IdentityUnknown as error:
            self._landed(exchange)
            flow.request.stream = False  # mitmproxy does not answer a request whose body it streams
            self._answer(flow, operators.as_json(503, {"detail": f"{error}; try again"}, Retry_After="1"))
            return
        # Setting the host would change the Host header as well, which stays the client's.
        host = flow.request.headers.get("Host")
        flow.request.host, flow.request.port = table.upstream(exchange.decision.upstream).address
        flow.request.scheme = "http"
        if host is not None:
            flow.request.headers["Host"] = host

    async def _read_from_candidate(
        self, flow: http.HTTPFlow, exchange: Exchange, table: RouteTable, decision: Decision
    ) -> bool:
        """Answer from the candidate; False where it fails, so that a canary costs no client its answer."""
        original = flow.request.headers.copy()
        try:
            await self._identify(flow.request, exchange, table, decision.upstream)
            answer = await fetch(self._client, table.upstream(decision.upstream), flow.request)
        except (httpx.HTTPError, IdentityUnknown):
            flow.request.headers = original
            return False
        if answer.status_code in _UNWELL:
            flow.request.headers = original
            return False
        flow.response = answer
        return True

    async def _replay(self, flow: http.HTTPFlow, exchange: Exchange, refusal: Refusal) -> None:
        """Wait until the routes know a newer owner, and send a refused write there, once."""
        if not refusal.replay or flow.request.stream or flow.request.raw_content is None:
            return
        if not await self._store.wait_for_term(refusal.move, refusal.term, REPLAY_SECONDS):
            metrics.REPLAYED.labels(refusal.move, "too late").inc()
            return
        decision = self._decide(flow.request, exchange)
        self._takes_off(flow.request, exchange, decision)
        table = self._store.table
        try:
            await self._identify(flow.request, exchange, table, decision.upstream)
            flow.response = await fetch(self._client, table.upstream(decision.upstream), flow.request)
        except (httpx.ConnectError, httpx.ConnectTimeout, IdentityUnknown):
            # It never arrived: the refusal's own 503 tells the client to come again.
            metrics.REPLAYED.labels(refusal.move, "not sent").inc()
        except httpx.HTTPError:
            metrics.REPLAYED.labels(refusal.move, "unknown").inc()
            self._answer(flow, operators.as_json(502, {"detail": "the new owner broke off its answer"}))
        else:
            metrics.REPLAYED.labels(refusal.move, "sent").inc()

    async def _identify(self, request: http.Request, exchange: Exchange, table: RouteTable, upstream: str) -> None:
        """Put the client's token in place of its session, for upstreams that want it so."""
        request.headers.pop(forwarding.IDENTITY, None)
        request.headers.pop(forwarding.MOVE, None)
        if exchange.in_flight:
            request.headers[forwarding.MOVE] = exchange.in_flight
        if not table.upstream(upstream).identity:
            _restore_credentials(request, exchange)
            return
        token = await self._identities.token(
            table.upstream(table.default).url, upstream, exchange.cookies, exchange.authorization
        )
        request.headers.pop("Authorization", None)
        _keep_csrf_cookie(request, exchange)
        if token is not None:
            request.headers[forwarding.IDENTITY] = token

    def _finish(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        assert flow.response is not None
        forwarding.prepare_response(flow.response.headers)
        if exchange.new_client and exchange.decision is not None and exchange.decision.move is not None:
            flow.response.headers.add("Set-Cookie", forwarding.client_cookie(exchange.client_key))

    def _answer(self, flow: http.HTTPFlow, answer: operators.Answer) -> None:
        flow.response = http.Response.make(answer.status, answer.body, dict(answer.headers))

    def _takes_off(self, request: http.Request, exchange: Exchange, decision: Decision) -> None:
        if decision.move is not None and request.method not in SAFE_METHODS:
            exchange.in_flight = decision.move
            self._in_flight[decision.move] = self._in_flight.get(decision.move, 0) + 1

    def _landed(self, exchange: Exchange) -> None:
        if exchange.in_flight:
            self._in_flight[exchange.in_flight] -= 1
            exchange.in_flight = ""

    def _note(self, flow: http.HTTPFlow, exchange: Exchange, status: int) -> None:
        self._landed(exchange)
        if exchange.own:
            return
        seconds = time.monotonic() - exchange.began
        move = exchange.decision.move or "" if exchange.decision else ""
        upstream = exchange.decision.upstream if exchange.decision else ""
        kind = "read" if flow.request.method in SAFE_METHODS else "write"
        metrics.REQUESTS.labels(move, upstream, kind, f"{status // 100}xx").inc()
        metrics.SECONDS.labels(move, upstream).observe(seconds)
        if access.isEnabledFor(logging.INFO):
            access.info(
                json.dumps(
                    {
                        "method": flow.request.method,
                        "path": flow.request.path.partition("?")[0],
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                        "held_ms": round(exchange.held * 1000, 1),
                        "upstream": upstream,
                        "why": exchange.decision.reason if exchange.decision else "",
                        "traceparent": flow.request.headers.get("traceparent", ""),
                    }
                )
            )


def _exchange(flow: http.HTTPFlow) -> Exchange:
    cookies = flow.request.headers.get_all("Cookie")
    authorization = flow.request.headers.get("Authorization")
    key, new = forwarding.client_key(cookies, authorization)
    return Exchange(client_key=key, new_client=new, cookies=cookies, authorization=authorization)


def _is_ours(target: str) -> bool:
    """Whether a server could read the path as one of the proxy's own, which no upstream is to see."""
    path = "/" + posixpath.normpath(unquote(target.partition("?")[0])).lstrip("/") + "/"
    return path.startswith((operators.PREFIX, "/.strangler"))


def _large(request: http.Request) -> bool:
    """Whether the body is too long to be kept, or of unknown length."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return True
    try:
        return int(request.headers.get("Content-Length", "0")) > BUFFERED
    except ValueError:
        return True


def _restore_credentials(request: http.Request, exchange: Exchange) -> None:
    if exchange.cookies:
        request.headers.set_all("Cookie", exchange.cookies)
    if exchange.authorization is not None:
        request.headers["Authorization"] = exchange.authorization


def _keep_csrf_cookie(request: http.Request, exchange: Exchange) -> None:
    """A service never sees a session; of the cookies it needs the one that its CSRF check compares."""
    wanted = [
        part.strip()
        for header in exchange.cookies
        for part in header.split(";")
        if part.strip().startswith(_CSRF_COOKIE + "=")
    ]
    request.headers.pop("Cookie", None)
    if wanted:
        request.headers["Cookie"] = "; ".join(wanted)
