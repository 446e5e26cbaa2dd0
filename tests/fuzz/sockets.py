"""The two ends of the proxy: upstreams that read strictly and say what they got, and clients that send anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from tests.fuzz.reference import Dialect, read
from tests.fuzz.verdict import Answer, Received, Talk, echo, owed

_SHORT_SILENCE = 0.2
_SILENCE = 2.0
_LONG_SILENCE = 30.0
"""Seconds after which a client that still waits believes that nothing more will come; the last where it is owed one."""
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_LENGTH = re.compile(rb"(?:^|\n)content-length: (\d+)\r", re.IGNORECASE)
_CLOSE = re.compile(rb"(?:^|\n)connection: close\r", re.IGNORECASE)
_ECHO = re.compile(rb"(?:^|\n)X-Echo: ([0-9a-f]{8})\r", re.IGNORECASE)


class Upstream(asyncio.Protocol):
    """One connection of the proxy to an upstream."""

    def __init__(self, name: str, received: list[Received], wrong: list[str], dialect: Dialect) -> None:
        self._name, self._received, self._wrong, self._dialect = name, received, wrong, dialect
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        requests, end = read(self._data, self._dialect)
        if end == "malformed":
            self._wrong.append(f"{self._name} received what is no request: {self._data!r}")
            self._transport.close()
            return
        if not requests:
            return
        if len(requests) > 1 or end == "incomplete":
            self._wrong.append(f"{self._name} received something behind a request: {self._data!r}")
        self._data = b""
        for request in requests:
            self._received.append(Received(upstream=self._name, request=request))
            body = b"" if request.method.upper() == b"HEAD" else b"ok"
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nX-Echo: %s\r\nContent-Length: 2\r\n\r\n%s" % (echo(request), body)
            )


class Client(asyncio.Protocol):
    """Sends a talk's stream, and takes what comes until nothing more is to be expected."""

    def __init__(self, talk: Talk, over: asyncio.Future[None]) -> None:
        self._talk, self._over = talk, over
        self._data = b""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(0)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._data += data
        methods = [one.method for one in self._talk.requests]
        self._talk.answers, self._talk.garbage = answers(self._data, methods, bodies=self._talk.dialect.bodies)
        # Where the stream is broken off, the proxy waits for the rest of it.
        if self._talk.end == "incomplete" and len(self._talk.answers) >= len(self._talk.requests):
            self._transport.close()
        self._wait()

    def connection_lost(self, exception: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._over.done():
            self._over.set_result(None)

    def _send(self, number: int) -> None:
        parts = self._talk.stream.parts
        if number < len(parts) and not self._transport.is_closing():
            self._transport.write(parts[number])
            self._loop.call_later(0.002, self._send, number + 1)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # A proxy that has nothing to answer is silent, unless it has read more than there was.
        nothing = self._talk.end == "incomplete" and not self._talk.requests
        silence = _LONG_SILENCE if owed(self._talk) > 0 else _SHORT_SILENCE if nothing else _SILENCE
        self._timer = self._loop.call_later(silence, self._transport.abort)


def answers(data: bytes, methods: list[bytes], *, bodies: bool = False) -> tuple[list[Answer], bytes]:
    """The whole answers in a stream, without those that only inform, and what begins as none could.

    "bodies" says whether refusals of HEAD may have one.
    """
    found: list[Answer] = []
    at = 0
    while (head := _HEAD.match(data, at)) is not None:
        status, fields = int(head[1]), head[2]
        if status >= 200:
            method = methods[len(found)] if len(found) < len(methods) else b"GET"
            length = _LENGTH.search(fields)
            known = _ECHO.search(fields)
            bare = method.upper() == b"HEAD" and not (
                bodies and not known and data[head.end() :][:4] not in (b"", b"HTTP")
            )
            size = int(length[1]) if length and not bare else 0
            if head.end() + size > len(data):
                return found, b""
            last = _CLOSE.search(fields) is not None
            found.append(Answer(status=status, echo=known[1] if known else None, last=last))
            at = head.end() + size
        else:
            at = head.end()
    rest = data[at:]
    return found, b"" if rest[:9] in (b"HTTP/1.1 "[: len(rest)], b"HTTP/1.0 "[: len(rest)]) else rest


async def talk(port: int, given: Talk) -> None:
    """Have one talk."""
    over = asyncio.get_running_loop().create_future()
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: Client(given, over), "127.0.0.1", port
        )
    except OSError:
        return  # the control afterwards tells whether the proxy is there
    try:
        await over
    finally:
        transport.abort()


async def serve(name: str, received: list[Received], wrong: list[str], dialect: Dialect) -> asyncio.Server:
    """An upstream on a free port, that takes what an engine of the dialect must be allowed to send."""
    strict = Dialect(loose=dialect.loose, noughts=dialect.noughts)
    make: Callable[[], Upstream] = lambda: Upstream(name, received, wrong, strict)  # noqa: E731 - a factory of protocols
    return await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
