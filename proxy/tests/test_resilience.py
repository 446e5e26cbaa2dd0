"""What a policy lets an upstream take, against upstreams that are slow, away, half there, or not well."""

import http.client
import json
import socket
import threading
from contextlib import ExitStack, suppress

import pytest
from test_proxy import in_background
from world import MOVE, Raw, Said, eventually, publish

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNWELL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
PATH = "/api/reviews/"


@pytest.fixture
def proxy(shared):
    return shared


@pytest.fixture
def raw():
    server = Raw(lambda connection, header: None)
    yield server
    server.close()


def with_policy(proxy, monolith, service, **terms):
    """The service owns the move, and such a policy holds for everything."""
    publish(proxy, monolith, service, term=2, owner="reviews", candidate="monolith")
    table = json.loads(proxy.operate("GET", "/-/table")[1])
    table["gateway"] = {"revision": table["gateway"]["revision"] + 1, "policies": [{"path": "/", "resilience": terms}]}
    status, body = proxy.operate("PUT", "/-/table", table)
    assert status == 200, body


def says(*answers):
    """Each request on whatever connection gets the next of the answers, the last one again and again."""
    left = list(answers)

    def talk(connection, header):
        answer = left.pop(0) if len(left) > 1 else left[0]
        connection.sendall(answer or b"")
        return answer in (OK, UNWELL)

    return talk


def metric(proxy, name):
    lines = proxy.operate("GET", "/-/metrics")[1].decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upstream_that_says_nothing_is_not_waited_for(proxy, monolith, raw, method):
    raw.talk = lambda connection, header: threading.Event().wait(5) or None
    with_policy(proxy, monolith, raw, silence=0.3)
    client = proxy.connect()
    for number in range(1, 3):
        client.request(method, PATH)
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())) == (504, {"detail": "the upstream gave no answer in time"})
        assert raw.heard == [f"{method} {PATH}"] * number
    client.close()


def test_an_upstream_that_goes_silent_within_its_answer_ends_it(proxy, monolith, raw):
    def talk(connection, header):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        threading.Event().wait(5)

    raw.talk = talk
    with_policy(proxy, monolith, raw, silence=0.3)
    with socket.create_connection(("127.0.0.1", proxy.port), 4) as client:
        client.sendall(b"GET /api/reviews/ HTTP/1.1\r\nHost: shop\r\n\r\n")
        heard = b""
        while data := client.recv(4096):
            heard += data
    assert heard.endswith(b"half")


def test_a_client_that_takes_its_answer_slowly_is_not_the_upstreams_silence(proxy, monolith, raw):
    size = 50 << 20
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)

    def talk(connection, header):
        connection.sendall(answer)

    raw.talk = talk
    with_policy(proxy, monolith, raw, silence=1)
    client = proxy.connect()
    client.request("GET", PATH)
    answer = client.getresponse()
    assert len(answer.read(1 << 20)) == 1 << 20
    threading.Event().wait(2)
    assert len(answer.read()) == size - (1 << 20)
    client.close()


def test_an_upstream_that_takes_no_connection_is_not_waited_for(proxy, monolith):
    with ExitStack() as stack:
        # Its queue is full, so the kernel leaves a new client without an answer.
        black_hole = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(black_hole.getsockname())
        address = type("Address", (), {"url": f"http://127.0.0.1:{black_hole.getsockname()[1]}"})
        with_policy(proxy, monolith, address, connect=0.3)
        assert proxy.ask("POST", PATH, b"x")[0] == 502
        assert proxy.ask("POST", PATH, bytes(2 << 20))[0] == 502  # passed as it comes, so that it has no policy to say


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\nhalf",
        UNWELL,
    ],
)
def test_a_read_that_failed_is_sent_again_and_a_write_is_not(proxy, monolith, raw, first):
    raw.talk = says(first, first, OK)
    with_policy(proxy, monolith, raw, retry={"times": 2})
    assert proxy.ask("GET", PATH)[:2] == (200, b"ok")
    raw.heard.clear()
    raw.talk = says(first, OK)
    with suppress(http.client.IncompleteRead):
        assert proxy.ask("POST", PATH, b"x")[0] in (502, 503)
    assert raw.heard == [f"POST {PATH}"]


def test_reads_are_sent_again_as_far_as_the_budget_goes(proxy, monolith, raw):
    raw.talk = says(UNWELL)
    with_policy(proxy, monolith, raw, retry={"times": 2, "reserve": 3, "share": 0.001})
    assert [proxy.ask("GET", PATH)[:2] for _ in range(6)] == [(503, b"busy")] * 6
    assert len(raw.heard) == 6 + 3


def test_an_upstream_that_fails_in_a_row_is_left_alone_until_one_request_comes_back_well(proxy, monolith, raw):
    raw.talk = says(UNWELL)
    with_policy(proxy, monolith, raw, breaker={"failures": 2, "seconds": 0.5})
    before = metric(proxy, "strangler_ejected_total")
    assert [proxy.ask("POST", PATH)[0] for _ in range(2)] == [503, 503]
    for body in (b"x", bytes(2 << 20)):
        status, said, headers = proxy.ask("POST", PATH, body)
        assert (status, json.loads(said), headers["Retry-After"]) == (503, {"detail": "reviews is not well"}, "1")
    assert proxy.ask("GET", "/elsewhere/")[1] == b"monolith"
    assert len(raw.heard) == 2
    assert metric(proxy, "strangler_ejected_total") == before + 1
    assert metric(proxy, 'strangler_circuit{policy="/",upstream="reviews"}') == 2
    raw.talk = says(OK)
    eventually(lambda: proxy.ask("GET", PATH)[0] == 200)
    assert [proxy.ask("POST", PATH)[0] for _ in range(3)] == [200, 200, 200]
    assert metric(proxy, 'strangler_circuit{policy="/",upstream="reviews"}') == 0


def test_a_client_that_goes_away_says_nothing_of_the_upstream(proxy, monolith, raw):
    waited = threading.Event()
    raw.talk = lambda connection, header: waited.wait(5) and connection.sendall(OK)
    with_policy(proxy, monolith, raw, breaker={"failures": 1, "seconds": 60}, bulkhead={"most": 1})
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(b"GET /api/reviews/ HTTP/1.1\r\nHost: shop\r\n\r\n")
        eventually(lambda: raw.heard)
    waited.set()
    eventually(lambda: proxy.ask("GET", PATH)[0] == 200)


def test_the_monolith_answers_reads_that_the_service_fails_where_the_policy_and_the_plan_allow_it(proxy, monolith, raw):
    raw.talk = says(b"")
    with_policy(proxy, monolith, raw, fallback=True, breaker={"failures": 2, "seconds": 60})
    for _ in range(4):  # the last ones without asking the service
        assert proxy.ask("GET", PATH)[:2] == (200, b"monolith")
    assert len(raw.heard) == 2
    assert proxy.ask("POST", PATH, b"x")[0] == 503
    assert [request.method for request in monolith.heard] == ["GET"] * 4
    with_policy(proxy, monolith, raw, fallback=True)
    client = {"Cookie": "strangler_client=" + "a" * 22}
    raw.talk = says(OK)
    assert proxy.ask("POST", PATH, b"x", client)[0] == 200
    raw.talk = says(b"")
    assert proxy.ask("GET", PATH, headers=client)[0] == 502  # the monolith may not have what it wrote
    assert proxy.ask("GET", PATH)[1] == b"monolith"
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith", final=True)
    assert proxy.ask("GET", PATH)[0] == 502


def test_few_are_with_an_upstream_at_a_time_few_wait_and_all_others_come_again(proxy, monolith, reviews):
    go_on = threading.Event()
    reviews.answer = lambda request: Said(body=str(go_on.wait(10)).encode())
    with_policy(proxy, monolith, reviews, bulkhead={"most": 1, "queue": 1, "seconds": 10})
    first, answers = in_background(lambda: proxy.ask("GET", PATH)[0])
    eventually(lambda: reviews.heard)
    second, more = in_background(lambda: proxy.ask("POST", PATH, b"x")[0])
    eventually(lambda: metric(proxy, "strangler_bulkhead_queued{") == 1)
    status, body, headers = proxy.ask("GET", PATH)
    assert (status, json.loads(body)) == (503, {"detail": "reviews has too many requests"})
    assert headers["Retry-After"] == "1"
    assert proxy.ask("GET", "/elsewhere/")[1] == b"monolith"
    assert len(reviews.heard) == 1
    go_on.set()
    first.join(5)
    second.join(5)
    assert (answers, more) == ([200], [200])
    eventually(lambda: metric(proxy, "strangler_bulkhead_inside{") == 0)


def test_a_write_that_gets_its_place_during_a_hold_waits_for_the_new_owner(proxy, monolith, reviews):
    go_on = threading.Event()
    reviews.answer = lambda request: Said(body=str(go_on.wait(10)).encode())
    with_policy(proxy, monolith, reviews, bulkhead={"most": 1, "queue": 1, "seconds": 10})
    first, _ = in_background(lambda: proxy.ask("POST", PATH, b"x"))
    eventually(lambda: reviews.heard)
    second, answers = in_background(lambda: proxy.ask("POST", PATH, b"y"))
    eventually(lambda: metric(proxy, "strangler_bulkhead_queued{") == 1)
    assert json.loads(proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 10})[1]) == {"in_flight": 1}
    go_on.set()
    first.join(5)
    eventually(lambda: metric(proxy, "strangler_waiting ") == 1)
    publish(proxy, monolith, reviews, term=3)
    second.join(5)
    assert answers[0][:2] == (200, b"monolith")
    assert len(reviews.heard) == 1
