"""The proxy as a process between real sockets."""

import json
import socket
import threading
import time
import zlib

import pytest
from world import MOVE, Proxy, Said, eventually, free_port, publish, table

REFUSED = Said(
    status=503,
    headers=[("Strangler-Refused", f"move={MOVE}; term=1; replay=1"), ("Retry-After", "1")],
)
BIG = bytes(20 << 20)


def in_background(work):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def test_routes_follow_the_table_and_all_else_goes_to_the_default(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    assert proxy.ask("POST", "/api/reviews/", b"x")[1] == b"reviews"
    assert proxy.ask("GET", "/api/reviews/7/")[1] == b"reviews"
    assert proxy.ask("GET", "/api/reviewsandmore/")[1] == b"monolith"
    assert proxy.ask("GET", "/api/reviews/../orders/")[1] == b"monolith"


def test_host_and_forwarding_headers_are_the_clients_and_spoofed_ones_are_dropped(proxy, monolith):
    spoofed = {
        "Host": "shop.example",
        "X-Forwarded-For": "203.0.113.9",
        "Strangler-Identity": "forged",
        "Strangler_Identity": "forged",
    }
    proxy.ask("GET", "/shop/", headers=spoofed)
    (heard,) = monolith.heard_at("/shop/")
    assert heard.headers["Host"] == "shop.example"
    assert heard.headers["X-Forwarded-Host"] == "shop.example"
    assert heard.headers["X-Forwarded-Proto"] == "http"
    assert heard.headers["X-Forwarded-For"] == "127.0.0.1"
    assert "strangler" in heard.headers["Via"]
    assert "forged" not in heard.headers.values()


def test_redirects_cookies_and_our_headers_on_the_way_back(proxy, monolith):
    monolith.answer = lambda request: Said(
        status=302,
        headers=[("Location", "/next/"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Strangler-Inner", "x")],
    )
    status, _, headers = proxy.ask("GET", "/login/")
    assert (status, headers["Location"]) == (302, "/next/")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert "Strangler-Inner" not in headers


@pytest.mark.parametrize("length", [True, False], ids=["with a length", "chunked"])
def test_20_megabytes_up_and_down(proxy, monolith, length):
    monolith.answer = lambda request: Said(body=request.body)
    body = BIG if length else iter([BIG[: 10 << 20], BIG[10 << 20 :]])
    connection = proxy.connect()
    connection.request("POST", "/upload/", body, encode_chunked=not length, headers={} if length else CHUNKED)
    assert connection.getresponse().read() == BIG
    connection.close()


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize("path", ["/-/table", "/-/health", "/-/metrics", "/.strangler/identity", "/%2Estrangler/x"])
def test_own_paths_are_404_without_the_token_and_reach_no_upstream(proxy, monolith, path):
    assert proxy.ask("GET", path)[0] == 404
    assert proxy.ask("GET", path, headers={"Authorization": "Bearer wrong"})[0] == 404
    assert not monolith.heard


def test_an_older_table_is_409_and_a_bad_one_422_and_neither_changes_anything(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=3)
    before = proxy.operate("GET", "/-/table")
    assert proxy.operate("PUT", "/-/table", table(monolith, reviews, term=2, n=9))[0] == 409
    assert proxy.operate("PUT", "/-/table", table(monolith, reviews, term=4, weight=10_001))[0] == 422
    assert proxy.operate("GET", "/-/table") == before


def test_a_held_write_waits_for_the_new_owner_while_reads_go_on(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    assert json.loads(proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 10})[1]) == {"in_flight": 0}
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"five stars"))
    assert proxy.ask("GET", "/api/reviews/")[1] == b"monolith"
    assert proxy.ask("POST", "/api/orders/", b"x")[1] == b"monolith"
    time.sleep(0.2)
    assert not answers
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    thread.join(5)
    assert answers[0][:2] == (200, b"reviews")
    assert [request.body for request in reviews.heard] == [b"five stars"]


def test_a_hold_ends_with_its_lease_and_with_its_release(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    began = time.monotonic()
    proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 0.5})
    assert proxy.ask("POST", "/api/reviews/", b"x")[1] == b"monolith"
    assert 0.4 < time.monotonic() - began < 3
    proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 30})
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"y"))
    time.sleep(0.1)
    proxy.operate("DELETE", f"/-/holds/{MOVE}")
    thread.join(5)
    assert answers[0][1] == b"monolith"


def test_a_hold_tells_the_writes_that_are_on_their_way(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    go_on = threading.Event()

    def slow(request):
        go_on.wait(10)
        return Said()

    monolith.answer = slow
    thread, _ = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"x"))
    eventually(lambda: monolith.heard)
    assert json.loads(proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 5})[1]) == {"in_flight": 1}
    go_on.set()
    thread.join(5)
    assert json.loads(proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 0.1})[1]) == {"in_flight": 0}


def test_a_refused_write_is_sent_once_more_to_the_newer_owner(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    monolith.answer = lambda request: REFUSED
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"five stars"))
    eventually(lambda: monolith.heard)
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    thread.join(8)
    assert answers[0][:2] == (200, b"reviews")
    assert [request.body for request in reviews.heard] == [b"five stars"]


def test_a_second_refusal_goes_to_the_client_without_our_header(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    monolith.answer = reviews.answer = lambda request: REFUSED
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"x"))
    eventually(lambda: monolith.heard)
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    thread.join(8)
    status, _, headers = answers[0]
    assert (status, headers["Retry-After"], headers["Strangler-Refused"]) == (503, "1", None)
    assert (len(monolith.heard), len(reviews.heard)) == (1, 1)


def test_a_refusal_without_replay_is_not_sent_again(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    no_replay = Said(status=503, headers=[("Strangler-Refused", f"move={MOVE}; term=0; replay=0")])
    monolith.answer = lambda request: no_replay
    assert proxy.ask("POST", "/api/reviews/", b"x")[0] == 503
    assert len(monolith.heard) == 1


def test_canary_reads_are_sticky_and_fall_back_to_the_owner(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, weight=10_000)
    _, body, headers = proxy.ask("GET", "/api/reviews/")
    assert body == b"reviews"
    cookie = headers["Set-Cookie"]
    assert cookie.startswith("strangler_client=")
    assert "HttpOnly" in cookie
    again = proxy.ask("GET", "/api/reviews/", headers={"Cookie": cookie.partition(";")[0]})
    assert again[2]["Set-Cookie"] is None
    reviews.answer = lambda request: Said(status=503)
    assert proxy.ask("GET", "/api/reviews/")[:2] == (200, b"monolith")
    reviews.close()
    assert proxy.ask("GET", "/api/reviews/")[:2] == (200, b"monolith")
    metrics = proxy.operate("GET", "/-/metrics")[1].decode()
    assert f'strangler_fallbacks_total{{move="{MOVE}"}} 2.0' in metrics


def test_a_service_gets_the_clients_token_and_never_its_session(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, identity=True, term=2, owner="reviews", candidate="monolith")

    def who(request):
        assert request.headers["Strangler-Proxy-Token"]
        return Said(body=json.dumps({"token": "of " + request.headers["Cookie"], "expires_in": 60}).encode())

    monolith.answer = who
    for person in ("ann", "bob", "ann"):
        proxy.ask("GET", "/api/reviews/", headers={"Cookie": f"sessionid={person}"})
    proxy.ask("GET", "/api/reviews/")
    told = [request.headers["Strangler-Identity"] for request in reviews.heard]
    assert told == ["of sessionid=ann", "of sessionid=bob", "of sessionid=ann", None]
    assert all("sessionid" not in request.headers.get("Cookie", "") for request in reviews.heard)
    assert len(monolith.heard) == 2


@pytest.mark.parametrize("body", [b"x", bytes(2 << 20)], ids=["kept", "streamed"])
def test_nobody_is_anonymous_because_the_monolith_failed(proxy, monolith, reviews, body):
    publish(proxy, monolith, reviews, identity=True, term=2, owner="reviews", candidate="monolith")
    monolith.answer = lambda request: Said(status=500)
    assert proxy.ask("POST", "/api/reviews/", body, {"Cookie": "sessionid=ann"})[0] == 503
    assert not reviews.heard


@pytest.mark.parametrize("token", ["a\r\nStrangler-Move: x", "a\n", "\u00e4", 7, None])
def test_a_token_that_may_not_stand_in_a_header_goes_to_nobody(proxy, monolith, reviews, token):
    publish(proxy, monolith, reviews, identity=True, term=2, owner="reviews", candidate="monolith")
    monolith.answer = lambda request: Said(body=json.dumps({"token": token, "expires_in": 60}).encode())
    assert proxy.ask("GET", "/api/reviews/", headers={"Cookie": "sessionid=ann"})[0] == 503
    assert not reviews.heard


def test_an_upstream_that_is_down_is_a_502(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    reviews.close()
    assert proxy.ask("POST", "/api/reviews/", b"x")[0] == 502
    assert proxy.ask("GET", "/")[1] == b"monolith"


def test_tables_change_under_load_without_a_failed_request(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    stop = threading.Event()
    answers = []

    def browse():
        connection = proxy.connect()
        while not stop.is_set():
            connection.request("POST", "/api/reviews/", b"x")
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
        connection.close()

    clients = [threading.Thread(target=browse) for _ in range(4)]
    for client in clients:
        client.start()
    for term in range(2, 22):
        sides = ("reviews", "monolith") if term % 2 else ("monolith", "reviews")
        publish(proxy, monolith, reviews, term=term, owner=sides[0], candidate=sides[1])
        time.sleep(0.05)
    stop.set()
    for client in clients:
        client.join(10)
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} == {b"monolith", b"reviews"}


def test_the_table_outlives_the_proxy(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    proxy.process.kill()
    proxy.process.wait(5)
    proxy.process.stderr.close()
    proxy.start()
    assert proxy.ask("POST", "/api/reviews/", b"x")[1] == b"reviews"


def test_a_websocket_passes_to_the_monolith(proxy, monolith, reviews):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listener:
        given = table(monolith, reviews)
        given["upstreams"]["monolith"]["url"] = f"http://127.0.0.1:{port}"
        assert proxy.operate("PUT", "/-/table", given)[0] == 200
        thread, _ = in_background(lambda: _echo_one_frame(listener))
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
            client.sendall(
                b"GET /live/ HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert client.recv(4096).startswith(b"HTTP/1.1 101")
            client.sendall(b"\x81\x82\0\0\0\0hi")
            assert client.recv(4) == b"\x81\x02hi"  # a close frame may come right behind it
        thread.join(5)


def _echo_one_frame(listener):
    upstream, _ = listener.accept()
    with upstream:
        upstream.recv(4096)
        upstream.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        frame = upstream.recv(4096)
        mask, text = frame[2:6], frame[6:8]
        upstream.sendall(b"\x81\x02" + bytes(byte ^ key for byte, key in zip(text, mask, strict=False)))


def test_a_taken_port_and_a_broken_state_file_are_one_sentence_each(proxy, monolith, tmp_path):
    second = Proxy(state=tmp_path / "second.json", monolith=monolith.url, port=proxy.port).launch()
    error = second.communicate(timeout=20)[1]
    assert second.returncode == 1
    assert error.count("\n") == 1
    assert str(proxy.port) in error
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    third = Proxy(state=broken, monolith=monolith.url).launch()
    error = third.communicate(timeout=20)[1]
    assert third.returncode == 1
    assert error.count("\n") == 1
    assert "broken.json" in error


def test_both_cohorts_are_counted_alike_and_anew_for_each_version(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, weight=5_000)
    reviews.answer = lambda request: Said(status=503)
    monolith.answer = lambda request: Said(status=404)
    for number in range(40):
        assert proxy.ask("GET", "/api/reviews/", headers={"Cookie": f"strangler_client={number:022}"})[0] == 404
    counted = json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])
    expected = sum(zlib.crc32(f"{number:022}".encode()) % 10_000 < 5_000 for number in range(40))
    assert counted["version"] == [1, 1]
    assert 0 < expected < 40
    assert (counted["candidate"]["requests"], counted["candidate"]["failed"]) == (expected, expected)
    assert (counted["control"]["requests"], counted["control"]["refused"]) == (40 - expected, 40 - expected)
    assert sum(counted["control"]["seconds"]) == 40 - expected
    publish(proxy, monolith, reviews, n=2, weight=5_000)
    assert json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])["candidate"]["requests"] == 0
    assert proxy.operate("GET", "/-/cohorts/0009_none")[0] == 404


def test_a_candidate_that_nobody_reaches_is_counted_as_failing(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, weight=9_999)
    reviews.close()
    assert proxy.ask("GET", "/api/reviews/")[:2] == (200, b"monolith")
    candidate = json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])["candidate"]
    assert (candidate["requests"], candidate["failed"], sum(candidate["seconds"])) == (1, 1, 0)


def test_a_client_reads_from_the_owner_until_its_write_is_at_the_candidate(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, weight=10_000)
    client = {"Cookie": "strangler_client=" + "a" * 22}
    assert proxy.ask("GET", "/api/reviews/", headers=client)[1] == b"reviews"
    assert proxy.ask("POST", "/api/reviews/", b"x", headers=client)[1] == b"monolith"
    assert proxy.ask("GET", "/api/reviews/", headers=client)[1] == b"monolith"
    assert proxy.ask("GET", "/api/reviews/")[1] == b"reviews"
    moment = json.loads(proxy.operate("GET", "/-/moment")[1])
    assert proxy.operate("PUT", f"/-/arrived/{MOVE}", moment)[0] == 200
    assert proxy.ask("GET", "/api/reviews/", headers=client)[1] == b"reviews"
    assert proxy.operate("PUT", f"/-/arrived/{MOVE}", ["no moments"])[0] == 422


def test_a_write_is_marked_for_other_proxies(proxy, monolith, reviews, tmp_path):
    publish(proxy, monolith, reviews, n=1, weight=10_000)
    marks = proxy.ask("POST", "/api/reviews/", b"x", {"Cookie": "strangler_client=" + "a" * 22})[2]["Set-Cookie"]
    assert marks.startswith(f"strangler_wrote.{MOVE}=")
    other = Proxy(state=tmp_path / "other.json", monolith=monolith.url)
    other.start()
    try:
        publish(other, monolith, reviews, n=1, weight=10_000)
        cookies = f"strangler_client={'a' * 22}; {marks.partition(';')[0]}"
        assert other.ask("GET", "/api/reviews/", headers={"Cookie": cookies})[1] == b"monolith"
        moments = {**json.loads(proxy.operate("GET", "/-/moment")[1])}
        assert other.operate("PUT", f"/-/arrived/{MOVE}", moments)[0] == 200
        assert other.ask("GET", "/api/reviews/", headers={"Cookie": cookies})[1] == b"reviews"
    finally:
        other.stop()
