"""Requests that two servers could read differently: nobody may receive another one than the engine has decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.conformance.case import Case, Request, Seen, ask, move, table
from tests.conformance.stage import Stage
from tests.conformance.wire import Broken

_TABLE = table(move("strictness", owner="reviews", candidate="monolith", term=2, final=True))
_SMUGGLED = b"GET /api/reviews/smuggled/ HTTP/1.1\r\nHost: shop.example\r\n\r\n"
_HEAD = b"POST /a/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"
_AMBIGUOUS = (
    ("a length and chunks", _HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("two lengths", _HEAD + b"Content-Length: 0\r\nContent-Length: 62\r\n\r\n" + _SMUGGLED),
    ("two lengths in one", _HEAD + b"Content-Length: 0, 62\r\n\r\n" + _SMUGGLED),
    ("a length with a sign", _HEAD + b"Content-Length: +62\r\n\r\n" + _SMUGGLED),
    ("a length that is none", _HEAD + b"Content-Length: 6x\r\n\r\n" + _SMUGGLED),
    ("a negative length", _HEAD + b"Content-Length: -1\r\n\r\n" + _SMUGGLED),
    ("an unknown coding", _HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("chunks twice", _HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("a coding after a tab", _HEAD + b"Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("a space before the colon", _HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("a folded line", _HEAD + b"X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED),
    ("a chunk's size that is none", _HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n" + _SMUGGLED),
    ("a nought in a value", _HEAD + b"X-A: a\0b\r\n\r\n"),
    ("a space in a name", _HEAD + b"X A: b\r\n\r\n"),
    ("a line without a colon", _HEAD + b"nonsense\r\n\r\n"),
    ("a path with a space", b"GET /a b/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"),
    ("another protocol", b"GET /a/ HTTP/3.7\r\nHost: shop.example\r\nConnection: close\r\n\r\n"),
)
_OWN = (
    *("/-/table", "/-/health", "/-/metrics", "/-/holds/strictness", "/.strangler/identity?audience=reviews"),
    *("//-/table", "/%2Estrangler/identity", "/.strangler", "/x/../.strangler/identity", "/x/..//-/table"),
    *("/%2D/table", "/./-/table", "/.%73trangler/identity"),
)


def cases() -> Iterator[Case]:
    for name, raw in _AMBIGUOUS:
        yield Case(name=name, feature="ambiguous requests", table=_TABLE, play=_sent(raw))
    for target in _OWN:
        for method in ("GET", "PUT"):
            yield Case(
                name=f"{method} {target} reaches no upstream",
                feature="the proxy's own paths",
                table=_TABLE,
                play=ask(Request(method=method, target=target), Seen(upstream=None, statuses=(404,))),
            )


def _sent(raw: bytes) -> Callable[[Stage], None]:
    """Whatever the engine makes of it, nothing behind the first request, which is the last, may reach anybody."""

    def play(stage: Stage) -> None:
        with stage.connect() as connection, suppress(Broken, ConnectionError):
            connection.send(raw)
            while True:
                connection.answer()
        heard = [message.first for upstream in stage.upstreams.values() for message in upstream.heard]
        assert not stage.upstreams["reviews"].heard, heard
        assert len(heard) <= 1, heard

    return play
