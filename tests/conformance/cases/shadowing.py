"""Reads that the candidate is asked as well: no client may notice."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.case import Case, Request, Seen, move, send, table
from tests.conformance.stage import Stage, eventually
from tests.conformance.upstream import Says

_READ = Request(target="/api/reviews/?page=1", fields=(("Cookie", "sessionid=s"),))


def cases() -> Iterator[Case]:
    for name, play in (
        ("a read goes to the candidate as well, marked", _read),
        ("a write does not", _write),
        ("reads of other routes do not", _other),
        ("a candidate that fails is nobody's failure", _fails),
        ("what the answers differ in is told", _told),
    ):
        yield Case(name=name, feature="shadow", table=table(move(f"shadow_{play.__name__}", shadow=10_000)), play=play)
    yield Case(
        name="nobody at the candidate is nobody's failure",
        feature="shadow",
        table=table(move("shadow_nobody", shadow=10_000, candidate="nobody")),
        play=lambda stage: _answered(send(stage, _READ)),
    )


def _read(stage: Stage) -> None:
    _answered(send(stage, _READ))
    eventually(lambda: stage.upstreams["reviews"].heard)
    (shadow,) = stage.upstreams["reviews"].heard
    assert (shadow.method, shadow.target) == ("GET", _READ.target)
    assert (shadow.value("strangler-shadow"), shadow.value("cookie")) == ("1", "sessionid=s")
    assert stage.upstreams["monolith"].heard[0].value("strangler-shadow") is None


def _write(stage: Stage) -> None:
    request = Request(method="POST", target="/api/reviews/", body=b"x")
    Seen().check(stage, request, send(stage, request))
    _shadows_one_read(stage)


def _other(stage: Stage) -> None:
    Seen().check(stage, Request(target="/other/"), send(stage, Request(target="/other/")))
    _shadows_one_read(stage)


def _shadows_one_read(stage: Stage) -> None:
    """A read afterwards is the first that the candidate sees, so it was not asked what came before."""
    send(stage, _READ)
    eventually(lambda: stage.upstreams["reviews"].heard)
    assert [heard.target for heard in stage.upstreams["reviews"].heard] == [_READ.target]


def _fails(stage: Stage) -> None:
    for says in (Says(status=500), Says(raw=b""), Says(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")):
        stage.upstreams["reviews"].script = lambda heard, says=says: says  # type: ignore[misc]
        _answered(send(stage, _READ))
    eventually(lambda: len(stage.upstreams["reviews"].heard) >= 3)


def _told(stage: Stage) -> None:
    stage.upstreams["reviews"].script = lambda heard: Says(status=404)
    name = stage.table.moves[0].move
    _answered(send(stage, _READ))
    eventually(lambda: stage.engine.cohorts(name, (1, 0)).compared)
    (differing, *_) = stage.engine.shadowed(name).differing
    assert differing.path == "status", differing


def _answered(answer: object) -> None:
    assert (answer.status, answer.body.start) == (200, b"monolith"), answer  # type: ignore[attr-defined]
