"""Writes that wait while their rows change hands, and writes that were refused and are sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from strangler_proxy.routes import RouteTable

from tests.conformance.case import Case, Request, Seen, move, send, table
from tests.conformance.stage import Background, Stage, eventually
from tests.conformance.upstream import Says
from tests.conformance.wire import Message

_WRITE = Request(method="POST", target="/api/reviews/", body=b"five stars")
_OTHER = Request(method="POST", target="/api/orders/", body=b"one of each")
_SOON = 0.15

Play = Callable[[Stage], None]


def cases() -> Iterator[Case]:
    for number, (name, play) in enumerate(_holds()):
        yield Case(name=name, feature="hold and release", table=_live(f"hold_{number}"), play=play)
    for number, (name, play) in enumerate(_replays()):
        yield Case(name=name, feature="replay of refused writes", table=_live(f"replay_{number}"), play=play)


def _holds() -> Iterator[tuple[str, Play]]:
    yield "a held write waits for the release, everything else goes on", _held_until_release
    yield "held writes go to the new owner", _held_until_switched
    yield "a hold ends with its lease", _held_until_the_lease_ends
    yield "a write that is too large to be kept is held as well", _held_large
    yield "nothing is held where there is no hold", _release_of_nothing


def _replays() -> Iterator[tuple[str, Play]]:
    yield "a refused write is sent once more, to the newer owner", _sent_once_more
    yield "a second refusal goes to the client", _refused_twice
    yield "what must not be repeated is not", _not_to_be_repeated
    yield "a refusal that is behind the table is sent on at once", _already_newer
    yield "a client's own refusal is nobody's", _not_by_a_client
    yield "a write of another route that meets the fence while a move is held is sent once more", _elsewhere


def _live(name: str) -> RouteTable:
    return table(move(name), move(f"{name}_other", "/api/orders/", candidate="orders"))


def _switched(stage: Stage) -> None:
    first, second = stage.table.moves
    stage.apply(replace(stage.table, moves=(replace(first, term=2, owner="reviews", candidate="monolith"), second)))


def _held_until_release(stage: Stage) -> None:
    name = stage.table.moves[0].move
    stage.engine.hold(name, 20)
    writing = Background(lambda: send(stage, _WRITE))
    _passes(stage, _OTHER, "monolith")
    _passes(stage, Request(target=_WRITE.target), "monolith")
    assert not writing.over, "the write was not held"
    stage.engine.release(name)
    _answered(writing, b"monolith")


def _held_until_switched(stage: Stage) -> None:
    stage.engine.hold(stage.table.moves[0].move, 20)
    writings = [Background(lambda: send(stage, _WRITE)) for _ in range(3)]
    _passes(stage, _OTHER, "monolith")
    assert not any(writing.over for writing in writings), "a write was not held"
    stage.upstreams["monolith"].heard.clear()
    _switched(stage)
    for writing in writings:
        _answered(writing, b"reviews")
    assert not stage.upstreams["monolith"].heard
    assert [heard.body.start for heard in stage.upstreams["reviews"].heard] == [_WRITE.body] * 3


def _held_until_the_lease_ends(stage: Stage) -> None:
    stage.engine.hold(stage.table.moves[0].move, _SOON)
    writing = Background(lambda: send(stage, _WRITE))
    _answered(writing, b"monolith")


def _held_large(stage: Stage) -> None:
    large = Request(method="PUT", target=_WRITE.target, size=3 << 20)
    stage.engine.hold(stage.table.moves[0].move, 20)
    writing = Background(lambda: send(stage, large))
    _passes(stage, _OTHER, "monolith")
    stage.upstreams["monolith"].heard.clear()
    _switched(stage)
    Seen(upstream="reviews").check(stage, large, writing.result())


def _release_of_nothing(stage: Stage) -> None:
    stage.engine.release(stage.table.moves[0].move)
    stage.engine.hold("0009_unknown", 1)
    _passes(stage, _WRITE, "monolith")


def _refused(stage: Stage, *, replay: int = 1, term: int = 1) -> None:
    refusal = f"move={stage.table.moves[0].move}; term={term}; replay={replay}"
    fields = (("Strangler-Refused", refusal), ("Retry-After", "1"))
    stage.upstreams["monolith"].script = lambda heard: Says(status=503, fields=fields, body=b"refused")


def _sent_once_more(stage: Stage) -> None:
    _refused(stage)
    writing = Background(lambda: send(stage, _WRITE))
    eventually(lambda: stage.upstreams["monolith"].heard)
    _switched(stage)
    answer = _answered(writing, b"reviews")
    assert answer.value("strangler-refused") is None
    assert [heard.body.start for heard in stage.upstreams["reviews"].heard] == [_WRITE.body]
    assert len(stage.upstreams["monolith"].heard) == 1


def _refused_twice(stage: Stage) -> None:
    _refused(stage)
    stage.upstreams["reviews"].script = stage.upstreams["monolith"].script
    writing = Background(lambda: send(stage, _WRITE))
    eventually(lambda: stage.upstreams["monolith"].heard)
    _switched(stage)
    answer = writing.result()
    assert (answer.status, answer.value("retry-after")) == (503, "1"), answer.first
    assert answer.value("strangler-refused") is None
    assert (len(stage.upstreams["monolith"].heard), len(stage.upstreams["reviews"].heard)) == (1, 1)


def _not_to_be_repeated(stage: Stage) -> None:
    _refused(stage, replay=0, term=0)
    answer = send(stage, _WRITE)
    assert (answer.status, answer.value("strangler-refused")) == (503, None), answer.first
    assert len(stage.upstreams["monolith"].heard) == 1


def _already_newer(stage: Stage) -> None:
    _refused(stage, term=0)
    answer = send(stage, _WRITE)
    assert (answer.status, answer.value("strangler-refused")) == (503, None), answer.first
    assert len(stage.upstreams["monolith"].heard) == 2  # once more to whom the table names now


def _not_by_a_client(stage: Stage) -> None:
    refusal = f"move={stage.table.moves[0].move}; term=0; replay=1"
    stage.upstreams["monolith"].script = lambda heard: Says(status=503)
    answer = send(stage, replace(_WRITE, fields=(("Strangler-Refused", refusal),)))
    assert answer.status == 503
    assert [heard.value("strangler-refused") for heard in stage.upstreams["monolith"].heard] == [None]


def _elsewhere(stage: Stage) -> None:
    _refused(stage)
    stage.engine.hold(stage.table.moves[0].move, 20)
    writing = Background(lambda: send(stage, replace(_WRITE, target="/checkout/")))
    eventually(lambda: stage.upstreams["monolith"].heard)
    stage.upstreams["monolith"].script = lambda heard: Says(body=b"monolith")
    _switched(stage)
    stage.engine.release(stage.table.moves[0].move)
    _answered(writing, b"monolith")
    assert len(stage.upstreams["monolith"].heard) == 2


def _passes(stage: Stage, request: Request, upstream: str) -> None:
    answer = send(stage, request)
    assert (answer.status, answer.body.start) == (200, upstream.encode()), f"{answer.first} {answer.body}"


def _answered(writing: Background[Message], body: bytes) -> Message:
    answer = writing.result()
    assert (answer.status, answer.body.start) == (200, body), f"{answer.first} {answer.body}"
    return answer
