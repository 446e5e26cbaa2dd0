"""The gateway's chain, between mitmproxy's request and answer and the plain ones that its steps see."""

from __future__ import annotations

from dataclasses import dataclass

from mitmproxy import http

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.exchange import BUFFERED, Exchange
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway.policies import AmbiguousPath
from strangler_proxy.routes import RouteTable
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.visit import Visit


@dataclass(frozen=True, kw_only=True)
class Gated:
    """Takes exchanges through the chain whose requests a policy holds for."""

    chain: Chain

    def meet(self, exchange: Exchange, table: RouteTable) -> Answer | None:
        """See whether there is a policy. An answer where the path does not say which one."""
        try:
            policy = table.gateway.policy(exchange.method, exchange.path)
        except AmbiguousPath:
            return as_json(400, {"detail": "the path can be read in more than one way; send it in its plain form"})
        if policy is not None:
            exchange.visit = Visit(
                policy=policy,
                method=exchange.method,
                target=exchange.path,
                fields=exchange.fields,
                body=None,
                address=exchange.address,
                client_key="" if exchange.new_client else exchange.client_key,
                cookies=exchange.cookies,
                authorization=exchange.authorization,
            )
        return None

    async def enter(self, visit: Visit, exchange: Exchange, request: http.Request) -> Answer | None:
        """The chain's answer; without one the request is what the steps have made of it."""
        body = visit.body = None if request.stream else request.raw_content
        if (answer := await self.chain.enter(visit)) is not None:
            return answer
        exchange.path = visit.target
        request.data.path = visit.target.encode("utf-8", "surrogateescape")
        exchange.fields = visit.fields
        if visit.body is not body:
            request.raw_content = visit.body or b""
            exchange.fields = _of_length(visit.fields, len(visit.body or b""))
        return None

    async def leave(self, visit: Visit, response: http.Response) -> None:
        """Make the answer what the steps make of it."""
        before = Answer(status=response.status_code, fields=response.headers.fields, body=response.raw_content)
        after = await self.chain.leave(visit, before)
        response.status_code = after.status
        response.headers.fields = after.fields
        if after.body is not before.body:
            response.raw_content = after.body or b""
            response.headers.fields = _of_length(after.fields, len(after.body or b""))


def to_be_kept(visit: Visit, response: http.Response) -> bool:
    """Whether the answer is to be waited for whole, since a step works on its body."""
    if not visit.policy.keeps_answer:
        return False
    lengths = values(response.headers.fields, b"content-length")
    return all(length.isdecimal() and int(length) <= BUFFERED for length in lengths)


def _of_length(fields: Fields, length: int) -> Fields:
    kept = tuple(field for field in fields if field[0].lower() not in (b"content-length", b"transfer-encoding"))
    return (*kept, (b"Content-Length", b"%d" % length))
