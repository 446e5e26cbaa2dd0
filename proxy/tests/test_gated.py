"""What a step has made of a message is looked at where it leaves: each of these steps does what none may."""

import asyncio
from dataclasses import replace

import pytest
from gate import World, said, table
from mitmproxy import http
from mitmproxy.test import tutils
from strangler_proxy.exchange import begin
from strangler_proxy.gated import Gated
from strangler_proxy.gateway import Policy, Throttle
from strangler_proxy.steps.chain import Chain

TABLE = table(Policy(path="/", throttle=(Throttle(rate=1, burst=1),)), revision=7)
NO_FIELDS = [
    (b"X-A", b"b\r\nStrangler-Move: reviews"),
    (b"X-A", b"b\rSet-Cookie: x"),
    (b"X-A", b"b\nSet-Cookie: x"),
    (b"X-A", b"\0"),
    (b"X-A", b"\x7f"),
    (b"X-A\r\nX-B", b"c"),
    (b"X A", b"b"),
    (b"X-A:", b"b"),
    (b"", b"b"),
]


class Step:
    """Changes what it is told to change."""

    def __init__(self, *, fields=(), target=None, answer=None, answered=()):
        self.fields, self.target, self.answer, self.answered = fields, target, answer, answered

    async def enter(self, visit):
        visit.fields = (*visit.fields, *self.fields)
        visit.target = self.target or visit.target
        return self.answer

    async def leave(self, visit, answer):
        return replace(answer, fields=(*answer.fields, *self.answered))


def through(step):
    """(the gateway's own answer or None, the request, what the client would get of an upstream)."""
    request = tutils.treq(method=b"GET", path=b"/a/?b=c", headers=http.Headers([(b"Host", b"shop")]))
    exchange = begin(request, "127.0.0.1")
    gated = Gated(chain=Chain(steps=(step,)), beyond=lambda exchange, request: World(TABLE))
    assert gated.meet(exchange, request, TABLE) is None
    assert exchange.revision == 7
    response = http.Response.make(200, b"ok", {"X-Said": "by the upstream"})

    async def both():
        answer = await gated.enter(exchange.visit, exchange, request)
        await gated.leave(exchange.visit, exchange, response)
        return answer

    return asyncio.run(both()), exchange, response


def test_what_is_a_header_passes():
    given = (b"X-A", b"b \t\xc3\xa4")
    answer, exchange, response = through(Step(fields=(given,), target="/d/?e=%0d%0a", answered=(given,)))
    assert answer is None
    assert (exchange.path, exchange.fields[-1]) == ("/d/?e=%0d%0a", given)
    assert (response.status_code, response.raw_content) == (200, b"ok")
    assert given in response.headers.fields


@pytest.mark.parametrize("field", NO_FIELDS)
def test_a_field_that_is_none_leaves_neither_for_the_upstream_nor_for_the_client(field, caplog):
    answer, exchange, response = through(Step(fields=(field,), answered=(field,)))
    assert answer.status == response.status_code == 500
    assert field not in exchange.fields
    assert field not in response.headers.fields
    assert b"by the upstream" not in b"".join(value for _, value in response.headers.fields)
    assert response.raw_content != b"ok"
    assert f"the field {field[0]!r} that the gateway made for GET /a/ is no HTTP" in caplog.text
    assert "Set-Cookie" not in caplog.text


@pytest.mark.parametrize("target", ["/d e/", "/d/\r\nX-A: b", "/d/\0", "/d/#e", "/\u00e4/"])
def test_a_target_that_is_none_goes_nowhere(target):
    answer, exchange, _ = through(Step(target=target))
    assert (answer.status, exchange.path) == (500, "/a/?b=c")


@pytest.mark.parametrize("field", NO_FIELDS)
def test_a_steps_own_answer_is_looked_at_too(field):
    answer, _, _ = through(Step(answer=replace(said(200, b"mine"), fields=(field,))))
    assert (answer.status, field in answer.fields) == (500, False)
