"""Bodies of every size, with a length or in chunks, both ways; trailers."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Body, Connection, header, pieces

_TABLE = table(move("bodies", final=True), move("bodies_live", "/live/"))
_SIZES = (0, 1, 1023, 16_384, 65_537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 10 << 20)
_LARGEST = 100 << 20
_PATHS = ("/upload/", "/api/reviews/", "/live/")


def cases() -> Iterator[Case]:
    for path in _PATHS:
        for chunked in (False, True):
            for size in (*_SIZES, *((_LARGEST,) if path == _PATHS[0] and not chunked else ())):
                yield from _of(size, path, chunked=chunked)
    for status in (204, 304):
        yield Case(
            name=f"{status} has no body",
            feature="bodies",
            table=_TABLE,
            play=ask(Request(), Seen(statuses=(status,), body=Body()), {"monolith": Says(status=status)}),
        )
    yield Case(
        name="an answer to HEAD tells a length and has no body",
        feature="bodies",
        table=_TABLE,
        play=ask(
            Request(method="HEAD"),
            Seen(body=Body(), answered={"content-length": "12345"}),
            {"monolith": Says(size=12_345)},
        ),
    )
    yield Case(name="a body that ends with its connection", feature="bodies", table=_TABLE, play=_until_the_end)
    yield Case(name="many small chunks", feature="bodies", table=_TABLE, play=_many_chunks)
    yield Case(name="a body that waits for 100 Continue", feature="bodies", table=_TABLE, play=_continue)
    yield Case(name="trailers of a request never fail it", feature="trailers", table=_TABLE, play=_request_trailers)
    yield Case(name="trailers of an answer never fail it", feature="trailers", table=_TABLE, play=_answer_trailers)


def _of(size: int, path: str, *, chunked: bool) -> Iterator[Case]:
    how = "in chunks" if chunked else "with a length"
    sent = Request(method="POST", target=path, size=size, chunked=chunked)
    yield Case(name=f"{size} bytes {how} to {path}", feature="bodies", table=_TABLE, play=ask(sent, Seen()))
    yield Case(
        name=f"{size} bytes {how} from {path}",
        feature="bodies",
        table=_TABLE,
        play=ask(
            Request(target=path), Seen(body=Body.of(pieces(size))), {"monolith": Says(size=size, chunked=chunked)}
        ),
    )


def _until_the_end(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)
    answer = send(stage, Request())
    assert (answer.status, answer.body.start) == (200, b"x" * 5000), answer.first


def _many_chunks(stage: Stage) -> None:
    request = Request(method="POST", chunked=True, body=b"abc" * 100)
    with stage.connect() as connection:
        connection.send(request.head)
        for at in range(100):
            connection.send_chunk(request.body[at * 3 : at * 3 + 3])
        connection.send(b"0\r\n\r\n")
        Seen().check(stage, request, connection.answer())


def _continue(stage: Stage) -> None:
    request = Request(method="POST", body=b"patient", fields=(("Expect", "100-continue"),))
    with stage.connect() as connection:
        connection.send(request.head)
        assert connection.head().status == 100
        connection.send(request.body)
        Seen().check(stage, request, connection.answer())


def _request_trailers(stage: Stage) -> None:
    request = Request(method="POST", chunked=True, body=b"a body", fields=(("Trailer", "X-Sum"),))
    with stage.connect() as connection:
        connection.send(request.head)
        connection.send_chunk(request.body)
        connection.send(header("0", (("X-Sum", "5"),)))
        Seen().check(stage, request, connection.answer())


def _answer_trailers(stage: Stage) -> None:
    says = Says(size=100, chunked=True, trailers=(("X-Sum", "5"),), fields=(("Trailer", "X-Sum"),))
    stage.upstreams["monolith"].script = lambda heard: says
    with stage.connect() as connection:
        _twice(stage, connection)


def _twice(stage: Stage, connection: Connection) -> None:
    for _ in range(2):
        connection.send(Request().head)
        answer = connection.answer()
        assert (answer.status, answer.body) == (200, Body.of(pieces(100))), answer.first
