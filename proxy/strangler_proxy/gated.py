"""The gateway's chain, between mitmproxy's request and answer and the plain ones that its steps see."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from mitmproxy import http

from strangler_proxy import heads
from strangler_proxy.answers import Answer, as_json, not_found
from strangler_proxy.exchange import BUFFERED, Exchange, is_ours
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway.policies import AmbiguousPath
from strangler_proxy.routes import RouteTable
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.transforming import is_json
from strangler_proxy.steps.visit import Routing, Visit

log = logging.getLogger(__name__)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, kw_only=True)
class Gated:
    """Takes exchanges through the chain whose requests a policy holds for.

    What its steps have made is looked at here once, where it leaves for the upstream and for the client.
    """

    chain: Chain
    beyond: Callable[[Exchange, http.Request], Routing]

    def meet(self, exchange: Exchange, request: http.Request, table: RouteTable) -> Answer | None:
        """See whether there is a policy. An answer where the path does not say which one."""
        exchange.revision = table.gateway.revision
        try:
            policy = table.gateway.policy(exchange.method, exchange.path)
        except AmbiguousPath:
            return as_json(400, {"detail": "the path can be read in more than one way; send it in its plain form"})
        if policy is not None:
            exchange.visit = exchange.met = Visit(
                policy=policy,
                method=exchange.method,
                target=exchange.path,
                fields=exchange.fields,
                body=None,
                address=exchange.address,
                client_key="" if exchange.new_client else exchange.client_key,
                cookies=exchange.cookies,
                authorization=exchange.authorization,
                routing=self.beyond(exchange, request),
            )
        return None

    async def enter(self, visit: Visit, exchange: Exchange, request: http.Request) -> Answer | None:
        """The chain's answer; without one the request is what the steps have made of it."""
        body = visit.body = None if request.stream else request.raw_content
        if (answer := await self.chain.enter(visit)) is not None:
            exchange.decision = visit.decision
            return _proper(answer, visit)
        if is_ours(visit.target):
            return not_found()
        target = visit.target.encode("utf-8", "surrogateescape")
        changed = visit.fields is not exchange.fields or visit.target != exchange.path
        if changed and (wrong := heads.improper(visit.fields, target)):
            return _refused(wrong, visit)
        exchange.path, exchange.cookies_on = visit.target, visit.cookies
        request.data.path = target
        exchange.fields = visit.fields
        if visit.body is not body:
            request.raw_content = visit.body or b""
            exchange.fields = _of_length(visit.fields, len(visit.body or b""))
        return None

    async def leave(self, visit: Visit, exchange: Exchange, response: http.Response) -> None:
        """Make the answer what the steps make of it."""
        visit.decision = exchange.decision
        before = Answer(status=response.status_code, fields=response.headers.fields, body=response.raw_content)
        after = await self.chain.leave(visit, before)
        if after.fields is not before.fields:
            after = _proper(after, visit)
        response.status_code = after.status
        response.headers.fields = after.fields
        if after.body is not before.body:
            response.raw_content = after.body or b""
            response.headers.fields = _of_length(after.fields, len(after.body or b""))
        if response.stream and visit.tee is not None:
            response.stream = visit.tee

    def passed(self, response: http.Response) -> None:
        """Say the end of a body to who sees it pass, where mitmproxy does not: it streams no empty one."""
        if callable(response.stream) and response.raw_content is not None:
            response.stream(b"")

    def over(self, visit: Visit) -> None:
        """Have the steps know that nothing more comes of the request."""
        while visit.ended:
            visit.ended.pop()()


def to_be_kept(visit: Visit, response: http.Response) -> bool:
    """Whether the answer is to be waited for whole, since a step works on its body."""
    return visit.keep_json and is_json(response.headers.fields)


def may_be_kept(response: http.Response) -> bool:
    """Whether the answer may be waited for whole, as far as its header tells."""
    if any(kind.startswith("text/event-stream") for kind in values(response.headers.fields, b"content-type")):
        return False
    lengths = values(response.headers.fields, b"content-length")
    return all(length.isdecimal() and int(length) <= BUFFERED for length in lengths)


def give(flow: http.HTTPFlow, answer: Answer) -> None:
    """Have the proxy's own answer be the flow's."""
    flow.response = http.Response.make(answer.status)
    flow.response.reason = _REASONS.get(answer.status, "")  # mitmproxy does not know all
    flow.response.headers.fields = of_length(answer, flow.request.method)
    flow.response.raw_content = answer.body or b""


def _proper(answer: Answer, visit: Visit) -> Answer:
    wrong = heads.improper(answer.fields)
    return _refused(wrong, visit) if wrong else answer


def _refused(wrong: str, visit: Visit) -> Answer:
    log.error("%s that the gateway made for %s %s is no HTTP", wrong, visit.method, visit.target.partition("?")[0])
    return as_json(500, {"detail": "the gateway has made something else than a message of this"})


def of_length(answer: Answer, method: str) -> Fields:
    """An answer's fields, with the length of its body; where it has none, that may be the length of another's."""
    if answer.body:
        return _of_length(answer.fields, len(answer.body))
    if method == "HEAD" or answer.status in (204, 304):
        return answer.fields
    return _of_length(answer.fields, 0)


def _of_length(fields: Fields, length: int) -> Fields:
    kept = tuple(field for field in fields if field[0].lower() not in (b"content-length", b"transfer-encoding"))
    return (*kept, (b"Content-Length", b"%d" % length))
