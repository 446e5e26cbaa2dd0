"""What only a proxy may say comes in no trailer either; HAProxy cannot take one out, as docs/security.md says."""

import pytest

from tests.conformance.case import Request, move, table


@pytest.mark.parametrize("engine", ["mitmproxy", "envoy"])
def test_no_trailer_says_what_only_a_proxy_may(engine, stages):
    stage = stages(engine)
    stage.begin(table(move("trailers", owner="reviews", candidate="monolith", term=2, final=True)))
    trailers = b"X-A: b\r\nStrangler-Move: x\r\nX_Forwarded_For: y\r\n"
    with stage.connect() as connection:
        connection.send(Request(method="POST", target="/other/", chunked=True).head + b"0\r\n" + trailers + b"\r\n")
        assert connection.answer().status == 200
    (heard,) = stage.upstreams["monolith"].heard
    assert heard.trailers in ((), (("x-a", "b"),))
