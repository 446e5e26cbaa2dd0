"""Clients: how many there may be, how long each is waited for, and how much of it is kept before its turn comes.

mitmproxy waits ten minutes for any byte, reads on while a request waits, and takes every connection that it can open.
"""

from __future__ import annotations

import asyncio
import math
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mitmproxy.proxy import events

from strangler_proxy import metrics
from strangler_proxy.answers import as_json, as_sent
from strangler_proxy.direct import DirectHandler
from strangler_proxy.http1 import BODY, HEADER, IDLE, StrictServer
from strangler_proxy.streams import Streams

_MOST = 10_000
_FILES_OF_A_CLIENT = 3
"""Its own connection, and those to upstreams."""
_OTHER_FILES = 100


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds for which a client is waited for, and the bytes that it may send before they are wanted."""

    idle: float = 75.0
    """Until it begins a request."""
    header: float = 30.0
    """From there to the header's end, however it comes."""
    body: float = 30.0
    """Until the next part of a body comes."""
    every: float = 7.5
    """Between two looks at all of them."""
    ahead: int = 1 << 17
    kept: int = 1 << 29
    """Of all clients together, in bodies that have not come to their end."""

    def of(self, expected: str) -> float:
        return {IDLE: self.idle, HEADER: self.header, BODY: self.body}[expected]


class Client(DirectHandler):
    """A client's connection, which is hung up where it takes too long."""

    streams: Streams

    def __init__(self, *given: Any, patience: Patience) -> None:
        super().__init__(*given)
        self._patience = patience
        self._expected = ("", 0)
        self._since = self._heard = time.monotonic()
        self._moved = asyncio.Event()
        self._paused = False

    async def server_event(self, event: events.Event) -> None:
        """Take note of what comes."""
        if isinstance(event, events.DataReceived) and event.connection is self.client:
            self._heard = time.monotonic()
        await super().server_event(event)
        self._moved.set()

    async def drain_writers(self) -> None:
        """Read no more of a client that is far ahead of what is done with it, until it is not."""
        reading = self.transports.get(self.client)
        if reading is None or reading.handler is not asyncio.current_task():
            await super().drain_writers()
            return
        self._paused = True
        try:
            await super().drain_writers()
            while self._ahead() > self._patience.ahead:
                self._moved.clear()
                await self._moved.wait()
        finally:
            self._paused = False
            self._heard = time.monotonic()

    def look(self, now: float) -> None:
        """Hang up, if the client has been waited for too long."""
        if (expected := self._expects()) != self._expected:
            self._expected, self._since = expected, now
            return
        what, _ = expected
        since = max(self._since, self._heard) if what == BODY else self._since
        if what and now - since > self._patience.of(what):
            self.hang_up(what)

    @property
    def kept(self) -> int:
        """Bytes of bodies that wait for their end."""
        return self._ahead() + sum(len(stream.request_body_buf) for stream in self.streams.streams.values())

    @property
    def sends_since(self) -> float:
        """When its body was seen to begin; later than ever where it sends none."""
        return self._since if self._expected[0] == BODY else math.inf

    def hang_up(self, what: str) -> None:
        """End the connection, for that reason."""
        connection = self.transports.get(self.client)
        if connection is None or connection.handler is None:
            return
        metrics.HUNG_UP.labels(what).inc()
        if what == HEADER and connection.writer is not None:
            detail = "the request did not come to its end in time"
            connection.writer.write(as_sent(as_json(408, {"detail": detail})))
        connection.handler.cancel("the client took too long")

    def _expects(self) -> tuple[str, int]:
        """What the client has to send next, and of which request; nothing while it is we who take the time."""
        server = self.streams.connections.get(self.client)
        if self._paused or self.timeout_watchdog.blocker or not isinstance(server, StrictServer):
            return "", 0
        return server.expects, server.stream_id

    def _ahead(self) -> int:
        server = self.streams.connections.get(self.client)
        waiting = sum(
            len(event.data)
            for stream in self.streams.streams.values()
            for event in stream._paused_event_queue
            if hasattr(event, "data")
        )
        return waiting + (len(server.buf) if isinstance(server, StrictServer) else 0)


class Clients:
    """All clients of a listening socket."""

    def __init__(self, *, most: int | None = None, patience: Patience | None = None) -> None:
        """Without "most" as many as the process may have open files for, and at most 10,000."""
        self.patience = patience or Patience()
        self._most = most if most is not None else min(_MOST, (_open_files() - _OTHER_FILES) // _FILES_OF_A_CLIENT)
        self._all: set[Client] = set()
        self._watching: asyncio.Task[None] | None = None

    async def serve(self, client: Client) -> None:
        """Serve it until it has gone, or turn it away."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        if len(self._all) >= self._most:
            metrics.HUNG_UP.labels("too many").inc()
            writer = client.transports[client.client].writer
            writer.write(as_sent(as_json(503, {"detail": "too many connections"}, Retry_After="1")))
            writer.close()
            return
        self._all.add(client)
        try:
            await client.handle_client()
        finally:
            self._all.discard(client)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.patience.every)
            for client in tuple(self._all):
                client.look(time.monotonic())
            self._make_room()

    def _make_room(self) -> None:
        """Hang up those that have been sending their bodies for the longest time, where all keep too much."""
        kept = {client: client.kept for client in self._all}
        over = sum(kept.values()) - self.patience.kept
        for client in sorted(kept, key=lambda client: client.sends_since):
            if over <= 0 or client.sends_since == math.inf:
                return
            client.hang_up("memory")
            over -= kept[client]


def _open_files() -> int:
    """How many files the process may have open, once it has asked for all that it may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft if soft != resource.RLIM_INFINITY else _MOST * _FILES_OF_A_CLIENT + _OTHER_FILES
