"""The cache over real sockets; its rules are tested with the step."""

import gzip
import threading

from world import MOVE, Said, eventually

PATH = "/api/reviews/"
FRESH = ("Cache-Control", "max-age=60")


def with_cache(common, cache=None, **changes):
    common.with_policies({"path": "/", "cache": cache or {}}, **changes)


def answers(server, *headers, body=None):
    server.answer = lambda request: Said(headers=[FRESH, *headers], body=body or f"{len(server.heard)}".encode())


def test_reads_are_answered_from_memory_as_their_upstream_gave_them(common):
    proxy, monolith = common.proxy, common.monolith
    packed = gzip.compress(b"hello " * 1000)
    answers(monolith, ("Content-Encoding", "gzip"), ("ETag", '"a"'), ("X-Note", "1"), body=packed)
    with_cache(common)
    first = proxy.ask("GET", PATH, headers={"Accept-Encoding": "gzip"})
    again = proxy.ask("GET", PATH, headers={"Accept-Encoding": "gzip"})
    assert (first[0], again[0], first[1], again[1]) == (200, 200, packed, packed)
    assert (again[2]["X-Note"], again[2]["Content-Encoding"], again[2]["Age"]) == ("1", "gzip", "0")
    assert first[2]["Cache-Status"] == "strangler; fwd=uri-miss; stored"
    assert again[2]["Cache-Status"].startswith("strangler; hit; ttl=")
    assert "strangler_client=" in again[2]["Set-Cookie"]
    head = proxy.ask("HEAD", PATH, headers={"Accept-Encoding": "gzip"})
    assert (head[0], head[1], head[2]["Content-Length"]) == (200, b"", str(len(packed)))
    known = proxy.ask("GET", PATH, headers={"Accept-Encoding": "gzip", "If-None-Match": '"a"'})
    assert (known[0], known[1]) == (304, b"")
    assert len(monolith.heard) == 1
    assert b'strangler_cache_total{outcome="hit"}' in proxy.operate("GET", "/-/metrics")[1]


def test_a_client_that_wrote_reads_nothing_older_and_a_switch_leaves_nothing(common):
    proxy, monolith, reviews = common.proxy, common.monolith, common.reviews
    answers(monolith)
    answers(reviews, body=b"the service's")
    with_cache(common)
    assert [proxy.ask("GET", f"{PATH}5/")[1] for _ in range(2)] == [b"1", b"1"]
    cookies = "; ".join(one.split(";")[0] for one in proxy.ask("POST", PATH, b"new")[2].get_all("Set-Cookie"))
    assert "strangler_wrote" in cookies
    assert proxy.ask("GET", f"{PATH}5/", headers={"Cookie": cookies})[1] == b"3"
    assert proxy.ask("GET", f"{PATH}5/", headers={"Cookie": cookies})[1] == b"3"
    with_cache(common, term=2, owner="reviews", candidate="monolith")
    assert proxy.ask("GET", f"{PATH}5/")[1] == b"the service's"


def test_an_answer_without_a_body_is_kept_too(common):
    proxy, monolith = common.proxy, common.monolith
    monolith.answer = lambda request: Said(status=404, headers=[FRESH])
    with_cache(common)
    assert [proxy.ask("GET", PATH)[:2] for _ in range(3)] == [(404, b"")] * 3
    assert len(monolith.heard) == 1


def test_a_mark_of_another_process_counts_from_when_it_is_first_seen(common):
    proxy, monolith = common.proxy, common.monolith
    answers(monolith)
    with_cache(common)
    assert proxy.ask("GET", PATH)[1] == b"1"
    mark = {"Cookie": f"strangler_wrote.{MOVE}=ffffffff.1"}
    assert [proxy.ask("GET", PATH, headers=mark)[1] for _ in range(3)] == [b"2", b"2", b"2"]


def test_a_session_that_does_not_matter_reaches_no_upstream_with_a_read(common):
    proxy, monolith, reviews = common.proxy, common.monolith, common.reviews
    answers(reviews)
    cache = {"ignore_cookies": ["sessionid"]}
    with_cache(common, cache=cache, identity=True, owner="reviews", candidate="monolith")
    victim = {"Cookie": "sessionid=victim"}
    assert [proxy.ask("GET", PATH, headers=victim)[1] for _ in range(2)] == [b"1", b"1"]
    assert (reviews.heard[0].headers["Strangler-Identity"], monolith.heard) == (None, [])
    assert proxy.ask("GET", PATH, headers={"Cookie": "sessionid=victim; other=1"})[0] in (200, 503)
    assert monolith.heard  # asked who that is


def test_a_stale_answer_is_confirmed_or_serves_where_the_upstream_is_away(common):
    proxy, monolith = common.proxy, common.monolith

    def stale(request):
        if request.headers["If-None-Match"] == '"a"':
            return Said(status=304, headers=[("ETag", '"a"')])
        return Said(body=b"one", headers=[("ETag", '"a"'), ("Cache-Control", "max-age=0, stale-if-error=60")])

    monolith.answer = stale
    with_cache(common)
    assert [proxy.ask("GET", PATH)[:2] for _ in range(2)] == [(200, b"one"), (200, b"one")]
    assert [request.headers["If-None-Match"] for request in monolith.heard] == [None, '"a"']
    monolith.answer = break_off
    status, body, headers = proxy.ask("GET", PATH)
    assert (status, body) == (200, b"one")
    assert headers["Cache-Status"] == "strangler; fwd=stale; detail=stale-if-error"


def break_off(request):
    raise ConnectionAbortedError  # http.server closes the connection and says nothing


def test_operators_purge_and_nobody_else(common):
    proxy, monolith = common.proxy, common.monolith
    answers(monolith, ("Cache-Tag", "p1"))
    with_cache(common)
    assert [proxy.ask("GET", PATH)[1] for _ in range(2)] == [b"1", b"1"]
    assert proxy.ask("POST", "/-/purge", b'{"route": "/"}')[0] == 404
    assert proxy.operate("POST", "/-/purge", {"route": "api"})[0] == 422
    assert proxy.operate("POST", "/-/purge", {"tag": "p1"}) == (200, b'{"purged": 1}')
    assert proxy.ask("GET", PATH)[1] == b"2"
    assert proxy.operate("POST", "/-/purge", {"route": "/api/"}) == (200, b'{"purged": 1}')


def test_a_client_that_goes_away_leaves_nobody_waiting(common):
    proxy, monolith = common.proxy, common.monolith
    answers(monolith)
    with_cache(common)
    gate = threading.Event()
    plain = monolith.answer

    def slow(request):
        gate.wait(5)
        return plain(request)

    monolith.answer = slow
    connection = proxy.connect()
    connection.request("GET", PATH)
    eventually(lambda: len(monolith.heard) == 1)
    connection.close()
    monolith.answer = plain
    assert proxy.ask("GET", PATH)[0] == 200
    gate.set()
