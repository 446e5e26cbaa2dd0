"""Requests that are answered before their body is here."""

import json
import socket
import threading
from contextlib import suppress

import pytest
from world import Raw, publish

PATH = "/api/reviews/"
HEAD = b"POST /api/reviews/ HTTP/1.1\r\nHost: shop\r\n"
MEGABYTE = bytes(1 << 20)


@pytest.fixture
def proxy(shared, monolith, reviews):
    """Takes nothing longer than 2 MiB below /api/."""
    publish(shared, monolith, reviews)
    table = json.loads(shared.operate("GET", "/-/table")[1])
    policy = {"path": "/api/", "longest_body": 2 << 20}
    table["gateway"] = {"revision": table["gateway"]["revision"] + 1, "policies": [policy]}
    assert shared.operate("PUT", "/-/table", table)[0] == 200
    shared.forget_peak()
    return shared


@pytest.fixture
def client(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        yield connection


def answer(client):
    """Its header, and what was said behind it until the connection ended."""
    heard = b""
    with suppress(ConnectionError):
        while data := client.recv(65536):
            heard += data
    header, _, body = heard.partition(b"\r\n\r\n")
    return header.split(b"\r\n"), body


def test_who_sends_too_much_is_told_before_it_is_sent(proxy, monolith, client):
    client.sendall(HEAD + b"Content-Length: 10000000000\r\n\r\n" + MEGABYTE)
    assert client.recv(12) == b"HTTP/1.1 413"
    client.shutdown(socket.SHUT_WR)
    header, body = answer(client)
    assert b"Connection: close" in header
    assert json.loads(body) == {"detail": "the body is longer than 2097152 bytes"}
    assert monolith.heard == []


def test_who_reads_no_answer_before_all_is_sent_gets_it_then(proxy, monolith):
    before = proxy.megabytes
    assert proxy.ask("POST", PATH, MEGABYTE * 50)[0] == 413
    assert proxy.megabytes - before < 10
    assert monolith.heard == []


@pytest.mark.parametrize("framing", [b"Content-Length: 10000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_who_goes_on_and_on_is_cut_off_and_costs_no_memory(proxy, client, framing):
    before, sent = proxy.megabytes, 0
    client.sendall(HEAD + framing)
    piece = MEGABYTE if b"Length" in framing else b"100000\r\n" + MEGABYTE + b"\r\n"
    with pytest.raises(ConnectionError):
        while sent < 1_000:
            client.sendall(piece)
            sent += 1
    assert 50 < sent < 200
    assert proxy.megabytes - before < 20


def test_a_body_of_unknown_length_that_becomes_too_long_is_never_whole_at_the_upstream(
    proxy, monolith, reviews, client
):
    came = []

    def talk(connection, header):
        with suppress(OSError):
            while data := connection.recv(1 << 20):
                came.append(len(data))
        came.append("end")
        return False

    raw = Raw(talk)
    try:
        publish(proxy, raw, reviews)
        client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall((b"100000\r\n" + MEGABYTE + b"\r\n") * 3 + b"0\r\n\r\n")
        header, _ = answer(client)
        assert header[0].startswith(b"HTTP/1.1 413")
        assert came.pop() == "end"
        assert sum(came) < 3 << 20
    finally:
        raw.close()


def test_a_body_that_is_not_too_long_passes(proxy, monolith):
    assert proxy.ask("POST", PATH, MEGABYTE * 2)[0] == 200
    connection = proxy.connect()
    connection.request("POST", PATH, iter([MEGABYTE, MEGABYTE]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().read() == b"monolith"
    connection.close()
    assert proxy.ask("POST", "/elsewhere/", MEGABYTE * 3)[0] == 200
    assert [len(request.body) for request in monolith.heard] == [2 << 20, 2 << 20, 3 << 20]


@pytest.mark.parametrize("length", [4, 3 << 20])
def test_who_expects_to_be_asked_for_a_body_is_asked_only_where_it_is_wanted(proxy, client, length):
    client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length)
    if length == 4:
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        client.sendall(b"body")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    else:
        assert client.recv(12) == b"HTTP/1.1 413"


def test_another_requests_answer_is_not_touched_by_one_that_was_refused(proxy, monolith):
    threads = [threading.Thread(target=proxy.ask, args=("POST", PATH, MEGABYTE * 5)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert [proxy.ask("GET", PATH)[1] for _ in range(10)] == [b"monolith"] * 10
    for thread in threads:
        thread.join(10)
