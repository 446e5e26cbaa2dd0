"""A bad table is refused in a sentence by every live engine, and the one before goes on serving."""

from dataclasses import replace

import pytest
from strangler_proxy.routes import Upstream

from strangler.rollout.engines.base import EngineError
from tests.conformance.case import Request, move, send, table
from tests.conformance.engines import LIVE

MOVE = move("bad_tables", owner="reviews", candidate="monolith", term=2, n=1, final=True)
UNKNOWN = Upstream(name="new", url="http://no.such.host.invalid:80")
BAD = {
    "an older version": (
        lambda good: replace(good, moves=(replace(MOVE, n=0),)),
        r'move "bad_tables" is at \(2, 1\) and was offered at \(2, 0\)',
    ),
    "an older term": (lambda good: replace(good, moves=(replace(MOVE, term=1, n=9),)), r"was offered at \(1, 9\)"),
    "a move that was final": (
        lambda good: replace(good, moves=(replace(MOVE, final=False),)),
        r'move "bad_tables" is final and was offered as one that is not|asks for \(writes that wait',
    ),
    "an older gateway": (
        lambda good: replace(good, gateway=replace(good.gateway, revision=0)),
        r"the gateway is at revision \d+ and was offered at 0",
    ),
    "an upstream that has no address": (
        lambda good: replace(good, upstreams=(*good.upstreams, UNKNOWN)),
        r'the host "no.such.host.invalid" of upstream "new" has no address',
    ),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("engine", LIVE)
def test_a_bad_table_is_refused_and_the_one_before_goes_on_serving(engine, what, stages):
    stage = stages(engine)
    stage.begin(table(MOVE))
    good = stage.engine.observe()
    change, said = BAD[what]
    with pytest.raises(EngineError, match=said):
        stage.engine.apply(change(good))
    assert stage.engine.observe() == good
    for method in ("GET", "POST"):
        answer = send(stage, Request(method=method, target="/api/reviews/"))
        assert (answer.status, answer.body.start) == (200, b"reviews")


@pytest.mark.parametrize("engine", [engine for engine in LIVE if engine != "mitmproxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_upstream_that_is_the_engine_itself_is_refused(engine, host, stages):
    """The Python proxy finds that when it connects."""
    stage = stages(engine)
    stage.begin(table())
    good = stage.engine.observe()
    itself = replace(good.upstream("reviews"), url=f"http://{host}:{stage.port}")
    others = tuple(each for each in good.upstreams if each.name != "reviews")
    with pytest.raises(EngineError, match=r'upstream "reviews" \(http.*\) is .* itself, .*; name the server behind it'):
        stage.engine.apply(replace(good, upstreams=(*others, itself)))
    assert stage.engine.observe() == good
