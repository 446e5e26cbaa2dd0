"""Reads that the proxy makes by itself and for itself: identities, and shadows. Clients' requests go by the layers.

Every byte of a header goes on as it came. mitmproxy's own functions read the answers, so they mean the same here as on
the ordinary way.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import h11
from h11._receivebuffer import ReceiveBuffer
from mitmproxy import http
from mitmproxy.net.http import http1
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy.layers.http._http1 import make_body_reader

from strangler_proxy import heads
from strangler_proxy.connections import Connection, Idle, connect
from strangler_proxy.forwarding import end_to_end
from strangler_proxy.routes import Upstream

ANSWER_SECONDS = 30.0
"""How long an upstream may be silent."""
LONGEST_BODY = 1 << 20
"""Nothing longer is kept, if nothing else is said."""


class UpstreamFailed(Exception):
    """The upstream gave no proper answer."""


class TooLong(UpstreamFailed):
    """Its answer is longer than it may be."""


class _Disconnected(UpstreamFailed):
    """It closed the connection before it said anything."""


class Client:
    """Sends requests to upstreams, as they are."""

    def __init__(self) -> None:
        self._idle = Idle()

    async def fetch(self, upstream: Upstream, request: http.Request, *, longest: int = LONGEST_BODY) -> http.Response:
        """The answer to a read as it is, its body undecoded. Raises UpstreamFailed, TooLong among them.

        A connection is used again, and the read gets another one where the upstream closed that just now.
        """
        if (kept := self._idle.take(upstream.address)) is not None:
            try:
                return await self._exchange(upstream, kept, request, longest)
            except _Disconnected:
                pass
        try:
            connection = await connect(upstream.address)
        except OSError as error:
            raise UpstreamFailed(f"there is no connection to {upstream.name} ({error})") from error
        return await self._exchange(upstream, connection, request, longest)

    async def _exchange(
        self, upstream: Upstream, connection: Connection, request: http.Request, longest: int
    ) -> http.Response:
        reusable = False
        try:
            _send(connection.writer, request)
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.writer.drain()
            answer, reusable = await _receive(connection.reader, request, longest)
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise UpstreamFailed(f"{upstream.name} gave no proper answer ({error!r})") from error
        finally:
            if reusable:
                self._idle.give(upstream.address, connection)
            else:
                connection.writer.close()
        return answer


def _send(writer: asyncio.StreamWriter, request: http.Request) -> None:
    lines = [b"%s %s HTTP/1.1" % (request.data.method, request.data.path)]
    lines += [b"%s: %s" % field for field in end_to_end(request.headers.fields)]
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + (request.raw_content or b""))


async def _receive(reader: asyncio.StreamReader, request: http.Request, longest: int) -> tuple[http.Response, bool]:
    """The answer, and whether its connection can be used again."""
    began = time.time()
    buffer = ReceiveBuffer()
    answer, interim = await _header(reader, buffer), 0
    while answer.status_code < 200:
        interim += 1
        if answer.status_code == 101 or interim > heads.MOST_INTERIM:
            raise ValueError("it switches protocols, which nobody asked for, or its final answer does not come")
        answer = await _header(reader, buffer)
    validate_headers(answer)
    size = http1.expected_http_body_size(request, answer)
    body = await _body(reader, buffer, make_body_reader(size), longest)
    closes = http1.connection_close(answer.http_version, answer.headers)
    answer.headers.fields = end_to_end(answer.headers.fields)
    if size is None or size < 0:
        answer.headers.fields += ((b"Content-Length", b"%d" % len(body)),)
    answer.raw_content = body
    answer.timestamp_start, answer.timestamp_end = began, time.time()
    return answer, size != -1 and not closes and not buffer


async def _header(reader: asyncio.StreamReader, buffer: Any) -> http.Response:
    while isinstance(found := heads.answer(bytes(buffer)), heads.Incomplete):
        if not (data := await _read(reader)):
            if buffer:
                raise ValueError("its header broke off")
            raise _Disconnected("it closed the connection")
        buffer += data
    if isinstance(found, heads.Malformed):
        raise ValueError(found.detail)
    return http1.read_response_head([bytes(line) for line in buffer.maybe_extract_lines()])


async def _body(reader: asyncio.StreamReader, buffer: Any, body: Any, longest: int) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        event = body(buffer)
        if event is None:
            if data := await _read(reader):
                buffer += data
                continue
            event = body.read_eof()
        if isinstance(event, h11.EndOfMessage):
            return b"".join(parts)
        parts.append(bytes(event.data))
        length += len(event.data)
        if length > longest:
            raise TooLong(f"its answer is longer than {longest} bytes")


async def _read(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(ANSWER_SECONDS):
        return await reader.read(1 << 16)
