"""Connections: kept, closed by either end at odd moments, slow, upgraded to websockets."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Background, Stage, eventually
from tests.conformance.upstream import Says
from tests.conformance.wire import Body, Broken, Connection, Message, pieces

_TABLE = table(
    move("connections", owner="reviews", candidate="monolith", term=2, final=True),
    move("away", "/away/", owner="nobody", final=True),
)
_GET = Request(target="/a/")
_POST = Request(method="POST", target="/api/reviews/", body=b"a write")
_UPGRADE = Request(
    target="/live/?room=1",
    fields=(
        *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ),
)
_SWITCHED = (
    *(("Connection", "Upgrade"), ("Upgrade", "websocket")),
    ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
)


def cases() -> Iterator[Case]:
    for feature, name, play in (
        ("keep-alive", "one connection for requests to both sides", _both_sides),
        ("keep-alive", "requests that are sent without waiting are answered in order", _pipelined),
        ("keep-alive", "a client that wants no more", _client_closes),
        ("keep-alive", "HTTP/1.0 without keep-alive", _http_1_0),
        ("upstream closes", "after each answer, unannounced, under reads", _closes_after_reads),
        ("upstream closes", "after each answer, announced", _closes_announced),
        ("upstream closes", "in the middle of an answer", _breaks_off),
        ("upstream closes", "before it answers a write, which is not sent twice", _silent_write),
        ("upstream closes", "before it answers a write, and the next one arrives", _write_after_close),
        ("slow clients", "a header that comes in pieces", _slow_header),
        ("slow clients", "a body that comes in pieces", _slow_body),
        ("slow clients", "a client that reads late", _slow_reader),
        ("slow clients", "a client that goes away before its answer", _goes_away),
        ("slow clients", "others are served while one is slow", _others_meanwhile),
        ("websockets", "frames pass both ways, to the default", _websocket),
        ("websockets", "an upgrade that is declined is an answer like any other", _declined),
        ("websockets", "either end may close", _websocket_closed),
    ):
        yield Case(name=name, feature=feature, table=_TABLE, play=play)
    for method in ("GET", "POST"):
        yield Case(
            name=f"nobody is there for a {method}",
            feature="upstream closes",
            table=_TABLE,
            play=ask(Request(method=method, target="/away/"), Seen(upstream=None, statuses=(502, 503))),
        )


def _both_sides(stage: Stage) -> None:
    with stage.connect() as connection:
        for request, expected in ((_GET, b"monolith"), (_POST, b"reviews"), (_GET, b"monolith"), (_POST, b"reviews")):
            connection.send(request.head + request.body)
            answer = connection.answer()
            assert (answer.status, answer.body.start) == (200, expected), f"{answer.first} {answer.body}"


def _pipelined(stage: Stage) -> None:
    for name in ("monolith", "reviews"):
        stage.upstreams[name].script = lambda heard: Says(body=heard.target.encode())
    targets = ("/1/", "/api/reviews/2/", "/3/", "/api/reviews/4/")
    with stage.connect() as connection:
        connection.send(b"".join(Request(target=target).head for target in targets))
        assert [connection.answer().body.start for _ in targets] == [target.encode() for target in targets]


def _client_closes(stage: Stage) -> None:
    with stage.connect() as connection:
        connection.send(Request(fields=(("Connection", "close"),)).head)
        assert connection.answer().status == 200
        assert connection.is_closed()


def _http_1_0(stage: Stage) -> None:
    with stage.connect() as connection:
        connection.send(b"GET /old/ HTTP/1.0\r\nHost: shop.example\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.body.start) == (200, b"monolith"), answer.first
        assert connection.is_closed()


def _closes_after_reads(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(body=b"once", close=True)
    with stage.connect() as connection:
        for _ in range(5):
            connection.send(_GET.head)
            answer = connection.answer()
            assert (answer.status, answer.body.start) == (200, b"once"), answer.first


def _closes_announced(stage: Stage) -> None:
    stage.upstreams["reviews"].script = lambda heard: Says(fields=(("Connection", "close"),), close=True)
    for _ in range(3):
        assert send(stage, _POST).status == 200


def _breaks_off(stage: Stage) -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50
    stage.upstreams["monolith"].script = lambda heard: Says(raw=half)
    try:
        answer = send(stage, _GET)
    except (Broken, ConnectionError):
        return
    assert answer.status in (502, 503), f"half an answer was taken for a whole one: {answer.first} {answer.body}"


def _silent_write(stage: Stage) -> None:
    stage.upstreams["reviews"].script = lambda heard: Says(raw=b"")
    Seen(upstream="reviews", statuses=(502, 503, 504)).check(stage, _POST, send(stage, _POST))


def _write_after_close(stage: Stage) -> None:
    _silent_write(stage)
    stage.upstreams["reviews"].begin()
    Seen(upstream="reviews").check(stage, _POST, send(stage, _POST))


def _slow_header(stage: Stage) -> None:
    with stage.connect() as connection:
        for at in range(0, len(_POST.head), 20):
            connection.send(_POST.head[at : at + 20])
            time.sleep(0.01)
        connection.send(_POST.body)
        Seen(upstream="reviews").check(stage, _POST, connection.answer())


def _slow_body(stage: Stage) -> None:
    request = Request(method="PUT", target="/api/reviews/1/", body=b"piece by piece")
    with stage.connect() as connection:
        connection.send(request.head)
        for byte in request.body:
            connection.send(bytes([byte]))
            time.sleep(0.01)
        Seen(upstream="reviews").check(stage, request, connection.answer())


def _slow_reader(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(size=8 << 20)
    with stage.connect() as connection:
        connection.send(_GET.head)
        time.sleep(0.2)
        assert connection.answer().body == Body.of(pieces(8 << 20))


def _goes_away(stage: Stage) -> None:
    def slowly(heard: Message) -> Says:
        time.sleep(0.1)
        return Says(size=1 << 20)

    stage.upstreams["monolith"].script = slowly
    with stage.connect() as connection:
        connection.send(_GET.head)
        eventually(lambda: stage.upstreams["monolith"].heard)
    assert send(stage, _GET).status == 200


def _others_meanwhile(stage: Stage) -> None:
    with stage.connect() as slow:
        slow.send(_POST.head[:30])
        answering = Background(lambda: send(stage, _GET))
        assert answering.result().status == 200
        slow.send(_POST.head[30:] + _POST.body)
        assert slow.answer().body.start == b"reviews"


def _websocket(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(status=101, fields=_SWITCHED, then=_echo)
    with stage.connect() as connection:
        connection.send(_UPGRADE.head)
        answer = connection.head()
        assert (answer.status, (answer.value("upgrade") or "").lower()) == (101, "websocket"), answer.first
        for text in (b"hi", b"x" * 100, b""):
            connection.send(_frame(text, masked=True))
            assert connection.receive(2 + len(text)) == _frame(text, masked=False)
    assert stage.upstreams["monolith"].heard[0].target == _UPGRADE.target


def _websocket_closed(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(status=101, fields=_SWITCHED, then=lambda connection: None)
    with stage.connect() as connection:
        connection.send(_UPGRADE.head)
        assert connection.head().status == 101
        while connection.receive(1):
            pass  # a close frame may come first


def _declined(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(status=426, body=b"no")
    with stage.connect() as connection:
        connection.send(_UPGRADE.head)
        answer = connection.answer()
        assert (answer.status, answer.body.start) == (426, b"no"), answer.first


def _echo(connection: Connection) -> None:
    while len(head := connection.receive(2)) == 2:
        size = head[1] & 0x7F
        mask, text = connection.receive(4), connection.receive(size)
        if head[0] & 0x0F == 8:
            return
        connection.send(_frame(bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)), masked=False))


def _frame(text: bytes, *, masked: bool) -> bytes:
    """A text frame of less than 126 bytes; the mask is of noughts."""
    return struct.pack("BB", 0x81, len(text) | (0x80 if masked else 0)) + (bytes(4) if masked else b"") + text
