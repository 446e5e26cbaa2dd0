"""What a case is: a table, what is done, and what must be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Body, Fields, Message, header, pieces

NAMES = ("monolith", "reviews", "orders", "nobody")
"""The upstreams of all tables. Where "nobody" should be, nobody listens; each engine's run fills the addresses in."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that every engine has to do alike. `play` raises AssertionError where it does not."""

    name: str
    feature: str
    """Under what docs/engines.md counts it."""
    table: RouteTable
    play: Callable[[Stage], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sends. "size" stands in place of a body: so many bytes."""

    target: str = "/"
    method: str = "GET"
    fields: Fields = ()
    body: bytes = b""
    size: int | None = None
    chunked: bool = False
    host: str = "shop.example"

    @property
    def head(self) -> bytes:
        size = len(self.body) if self.size is None else self.size
        fields = (("Host", self.host), *self.fields)
        if self.chunked:
            fields += (("Transfer-Encoding", "chunked"),)
        elif size or self.method in ("POST", "PUT", "PATCH"):
            fields += (("Content-Length", str(size)),)
        return header(f"{self.method} {self.target} HTTP/1.1", fields)

    @property
    def content(self) -> Iterator[bytes]:
        return iter((self.body,)) if self.size is None else pieces(self.size)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What must be seen of one request: by whom it was received, and what the client got.

    Values of fields are regular expressions that match the whole; None stands for a field that must not be there.
    """

    upstream: str | None = "monolith"
    """None: nobody may receive it."""
    statuses: tuple[int, ...] = (200,)
    target: str | None = None  # as sent
    received: Mapping[str, str | None] = field(default_factory=dict)
    answered: Mapping[str, str | None] = field(default_factory=dict)
    body: Body | None = None  # the name of who received it

    def check(self, stage: Stage, request: Request, answer: Message) -> None:
        """Raises AssertionError."""
        heard = [(name, message) for name, upstream in stage.upstreams.items() for message in upstream.heard]
        found = [f"{name} {message.first}" for name, message in heard]
        names = [name for name, _ in heard]
        assert names == ([] if self.upstream is None else [self.upstream]), f"heard by {found}, answer {answer.first}"
        assert answer.status in self.statuses, f"answered {answer.first} {answer.body}"
        _check_fields(self.answered, answer)
        for _, message in heard:
            assert message.method == request.method.upper(), message.first
            assert message.target == (self.target or request.target), message.first
            assert message.body == Body.of(request.content), f"received {message.body}"
            _check_fields(self.received, message)
        if self.body is not None:
            assert answer.body == self.body, f"answered {answer.body}"


def table(*moves: MoveRoutes, identity: bool = False) -> RouteTable:
    """A table with the upstreams of all cases; with "identity" the services want to know who the client is."""
    upstreams = tuple(
        Upstream(name=name, url=f"http://{name}:1", identity=identity and name != "monolith") for name in NAMES
    )
    return RouteTable(default="monolith", upstreams=upstreams, moves=moves)


def move(name: str, *routes: str, **changes: object) -> MoveRoutes:
    """A move that has begun: the monolith owns it, and "reviews" is to."""
    begun = MoveRoutes(
        move=name, term=1, n=0, owner="monolith", candidate="reviews", weight=0, routes=routes or ("/api/reviews/",)
    )
    return replace(begun, **changes)  # type: ignore[arg-type]


def ask(request: Request, seen: Seen, says: Mapping[str, Says] | None = None) -> Callable[[Stage], None]:
    """One request on a connection of its own, and what must be seen of it."""

    def play(stage: Stage) -> None:
        for name, answer in (says or {}).items():
            stage.upstreams[name].script = lambda heard, answer=answer: answer  # type: ignore[misc]
        seen.check(stage, request, send(stage, request))

    return play


def send(stage: Stage, request: Request) -> Message:
    """The answer to one request on a connection of its own."""
    with stage.connect() as connection:
        connection.send(request.head)
        for piece in request.content:
            if not request.chunked:
                connection.send(piece)
            elif piece:
                connection.send_chunk(piece)
        if request.chunked:
            connection.send(b"0\r\n\r\n")
        return connection.answer(request.method)


def _check_fields(expected: Mapping[str, str | None], message: Message) -> None:
    for name, pattern in expected.items():
        value = message.value(name)
        if pattern is None:
            assert value is None, f"{name} is there: {value}"
        else:
            assert value is not None and re.fullmatch(pattern, value), f"{name} is {value!r}, not {pattern!r}"
