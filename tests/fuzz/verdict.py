"""What must be true of some streams, of what upstreams received meanwhile, and of what came back: pure."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from strangler_proxy.forwarding import client_key
from strangler_proxy.routes import SAFE_METHODS, RouteTable, decide

from tests.fuzz.inputs import Stream
from tests.fuzz.reference import STRICT, Dialect, End, Request, read

_Sent = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as an upstream got it."""

    upstream: str
    request: Request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as a client got it. "echo" is that of the request which an upstream has answered."""

    status: int
    echo: bytes | None
    last: bool
    """Whether it says that the connection ends with it."""


@dataclass(kw_only=True)
class Talk:
    """A stream, and what came back."""

    stream: Stream
    dialect: Dialect = STRICT
    """In which the engine reads it."""
    answers: list[Answer] = field(default_factory=list)
    garbage: bytes = b""
    """What came and is no answer."""
    requests: list[Request] = field(init=False)
    end: End = field(init=False)

    def __post_init__(self) -> None:
        self.requests, self.end = read(self.stream.data, self.dialect)


def echo(request: Request) -> bytes:
    """By what an upstream tells which request it answers."""
    return b"%08x" % zlib.crc32(b"\0".join((request.method, request.target, request.body)))


def wrong(
    table: RouteTable, talks: Sequence[Talk], received: Sequence[Received], *, accompanied: bool = False
) -> Iterator[str]:
    """A sentence for each thing that must not be. "accompanied" says whether a companion may be on the way."""
    yield from _beyond(table, talks, received)
    for one in received:
        yield from _header(table, one, accompanied)
    for talk in talks:
        yield from _answers(talk, accompanied)


def late(received: Sequence[Received], before: Sequence[Talk]) -> set[int]:
    """Which of the received, by their numbers, are of talks that were over before, and by their names of no others."""
    known = {_sent(request) for talk in before for request in talk.requests if b"?id=" in request.target}
    return {number for number, one in enumerate(received) if _sent(one.request) in known}


def _beyond(table: RouteTable, talks: Sequence[Talk], received: Sequence[Received]) -> Iterator[str]:
    """Upstreams get what clients sent, once each, where decide() says."""
    sides: defaultdict[_Sent, set[str]] = defaultdict(set)
    left: Counter[_Sent] = Counter()
    for talk in talks:
        for request in talk.requests:
            if not request.is_for_the_proxy and not request.refused:
                left[_sent(request)] += 1
                sides[_sent(request)] |= _sides(table, request)
    for one in received:
        sent = _sent(one.request)
        if not left[sent]:
            yield f"{one.upstream} received what no client sent, or sent less often: {sent}"
        elif one.upstream not in sides[sent]:
            yield f"{one.upstream} received what is for {sorted(sides[sent])}: {sent}"
        left[sent] -= 1


def _header(table: RouteTable, one: Received, accompanied: bool) -> Iterator[str]:
    request = one.request
    way = [b"127.0.0.1, 127.0.0.1"]
    if not accompanied or request.values(b"x-forwarded-for") != way:
        way = [b"127.0.0.1"]
    move = table.move_of(request.target.decode("latin-1"))
    told = move.move.encode() if move is not None and request.method.upper().decode() not in SAFE_METHODS else None
    expected: dict[bytes, list[bytes]] = {
        b"strangler-move": [told] if told else [],
        b"x-forwarded-for": way,
        b"x-forwarded-proto": [b"http"],
        b"x-forwarded-host": request.values(b"host") or [b""],
    }
    for name, values in expected.items():
        if request.values(name) != values:
            yield f"{one.upstream} received {name!r} as {request.values(name)}, not {values}: {_sent(request)}"
    for name, value in request.fields:
        lower = name.lower()
        if b"_" in lower or (lower.startswith((b"strangler-", b"x-forwarded-")) and lower not in expected):
            yield f"{one.upstream} received {name!r}: {value!r}"
        if lower == b"connection" and not set(value.lower().split(b", ")) <= {b"close", b"keep-alive", b"upgrade"}:
            yield f"{one.upstream} received {name!r}: {value!r}"


def _answers(talk: Talk, accompanied: bool) -> Iterator[str]:
    if talk.garbage:
        yield f"what is no answer came for {talk.stream.data!r}: {talk.garbage[:200]!r}"
    if len(talk.answers) > len(talk.requests) + (talk.end != "over"):
        yield f"{len(talk.answers)} answers came for {len(talk.requests)} requests: {talk.stream.data!r}"
    # What an engine passes on although it is not quite right, its companion refuses: the engine may say that as 502.
    proper = len(read(talk.stream.data)[0]) if accompanied else len(talk.requests)
    for number, (answer, request) in enumerate(zip(talk.answers, talk.requests, strict=False)):
        if answer.echo not in (None, echo(request)):
            yield f"the answer to another request than {_sent(request)} came in {talk.stream.data!r}"
        known = answer.status == 501 or (answer.status == 502 and number >= proper)  # 501: a coding of the body
        if answer.status >= 500 and not known:
            yield f"{answer.status} came for {_sent(request)} in {talk.stream.data!r}"
    if (missing := owed(talk)) > 0:
        yield f"{missing} answers are missing for {talk.stream.data!r}"


def owed(talk: Talk) -> int:
    """How many answers the engine has to give yet, where nothing excuses it."""
    return _answerable(talk) - len(talk.answers) if talk.stream.plain and not _ended(talk) else 0


def _ended(talk: Talk) -> bool:
    """Whether the engine has ended the connection before all was answered, and may."""
    own = [answer for answer in talk.answers if answer.echo is None]
    if not talk.dialect.stalls:
        # The proxy waits for no long body of a request that it does not want, and says so.
        return any(answer.last for answer in own)
    return bool(own) or talk.end == "malformed" or any(one.refused or one.is_old for one in talk.requests)


def _answerable(talk: Talk) -> int:
    """How many of the requests the proxy has to answer."""
    for number, request in enumerate(talk.requests, 1):
        if request.is_last:
            return number
    return len(talk.requests)


def _sent(request: Request) -> _Sent:
    return request.method, request.target, request.body


def _sides(table: RouteTable, request: Request) -> set[str]:
    """Where it may go: a read of a canary also to the owner, behind its client's write or as a new client's."""
    method, target = request.method.decode("latin-1"), request.target.decode("latin-1")
    cookies = [_text(value) for value in request.values(b"cookie")]
    authorization = ", ".join(_text(value) for value in request.values(b"authorization")) or None
    key, new = client_key(cookies, authorization)
    decision = decide(table, method, target, key)
    move = table.move(decision.move) if decision.move is not None else None
    if move is None or method.upper() not in SAFE_METHODS:
        return {decision.upstream}
    return {decision.upstream, move.owner} | ({move.candidate} if new and move.weight else set())


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
