"""Requests on their way to upstreams that answer oddly, half, or not at all."""

import threading

import pytest
from test_proxy import REFUSED, in_background
from world import MOVE, Raw, eventually, publish

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def proxy(shared):
    return shared


@pytest.fixture
def raw():
    server = Raw(lambda connection, header: None)
    yield server
    server.close()


def says(*parts, close=False):
    def talk(connection, header):
        for part in parts:
            connection.sendall(part)
        return not close

    return talk


def ask_twice(proxy, path="/api/reviews/"):
    """Two answers on one connection; None for one that has to begin a new one."""
    client, came = proxy.connect(), []
    for _ in range(2):
        client.request("GET", path)
        answer = client.getresponse()
        came.append((answer.status, answer.read()))
        assert client.sock is not None  # http.client closes it where the answer says so
    client.close()
    return came


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ],
)
def test_an_upstream_that_closes_its_connection_leaves_the_clients_open(proxy, monolith, raw, answer):
    raw.talk = says(answer, close=True)
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith")
    assert ask_twice(proxy) == [(200, b"ok"), (200, b"ok")]
    assert raw.connections == 2


def test_who_speaks_http_1_0_gets_no_chunks(proxy, monolith, raw):
    raw.talk = says(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", close=True)
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith")
    client = proxy.connect()
    client._http_vsn, client._http_vsn_str = 10, "HTTP/1.0"
    client.request("GET", "/api/reviews/")
    assert client.getresponse().read() == b"ok"


def test_interim_answers_are_not_taken_for_the_answer(proxy, monolith, raw):
    raw.talk = says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith")
    assert ask_twice(proxy) == [(200, b"ok"), (200, b"ok")]
    assert raw.connections == 1


def test_an_answers_header_without_an_end_is_given_up(proxy, monolith, raw):
    def talk(connection, header):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Odd: " + bytes(65536).replace(b"\0", b"x") + b"\r\n")

    raw.talk = talk
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith")
    assert proxy.ask("POST", "/api/reviews/", b"x")[0] == 502


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + bytes(2 << 20),
        b"nonsense\r\n\r\n",
    ],
)
def test_what_the_candidate_answers_badly_the_owner_answers(proxy, monolith, raw, answer):
    raw.talk = says(answer, close=True)
    publish(proxy, monolith, raw, weight=10_000)
    assert ask_twice(proxy) == [(200, b"monolith"), (200, b"monolith")]
    counted = proxy.operate("GET", f"/-/cohorts/{MOVE}")[1]
    assert b'"candidate": {"requests": 2, "failed": 2' in counted


def test_an_answer_of_a_canary_that_is_too_long_to_be_kept_passes_as_it_comes(proxy, monolith, reviews, raw):
    size, go_on = 200 << 20, threading.Event()

    def talk(connection, header):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for number in range(size >> 20):
            if number == 150:
                go_on.wait(10)
            connection.sendall(bytes(1 << 20))

    raw.talk = talk
    publish(proxy, monolith, raw, weight=10_000)
    proxy.forget_peak()
    before = proxy.megabytes
    client = proxy.connect()
    client.request("GET", "/api/reviews/")
    answer = client.getresponse()
    assert len(answer.read(1 << 20)) == 1 << 20  # while the upstream has not yet said all
    go_on.set()
    while data := answer.read(1 << 20):
        size -= len(data)
    assert size == 1 << 20
    assert proxy.megabytes - before < 30


def test_who_takes_a_long_answer_slowly_costs_no_memory(proxy, monolith, raw):
    stuck, sent = threading.Event(), []

    def talk(connection, header):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (200 << 20))
        connection.settimeout(0.5)
        try:
            for _ in range(200):
                connection.sendall(bytes(1 << 20))
                sent.append(1)
        except TimeoutError:
            stuck.set()

    raw.talk = talk
    publish(proxy, monolith, raw, weight=10_000)
    proxy.forget_peak()
    before = proxy.megabytes
    client = proxy.connect()
    client.request("GET", "/api/reviews/")
    assert stuck.wait(10)
    assert proxy.megabytes - before < 30
    assert len(sent) < 100
    client.close()


def test_a_refused_write_whose_new_owner_is_away_comes_to_the_refusal(proxy, monolith, reviews):
    publish(proxy, monolith, reviews)
    monolith.answer = lambda request: REFUSED
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"x"))
    eventually(lambda: monolith.heard)
    reviews.close()
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    thread.join(8)
    status, _, headers = answers[0]
    assert (status, headers["Retry-After"], headers["Strangler-Refused"]) == (503, "1", None)
    assert len(monolith.heard) == 1


def test_a_refused_write_whose_new_owner_breaks_off_is_sent_to_nobody_else(proxy, monolith, raw):
    publish(proxy, monolith, raw)
    raw.talk = says(b"HTTP/1.1 200 OK\r\nConte", close=True)
    monolith.answer = lambda request: REFUSED
    thread, answers = in_background(lambda: proxy.ask("POST", "/api/reviews/", b"x"))
    eventually(lambda: monolith.heard)
    publish(proxy, monolith, raw, term=2, owner="reviews", candidate="monolith")
    thread.join(8)
    assert answers[0][0] == 502
    assert (len(monolith.heard), raw.heard) == (1, ["POST /api/reviews/"])
