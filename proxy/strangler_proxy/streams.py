"""One client connection's requests, and its connections to upstreams.

mitmproxy sends a request on an idle connection that its upstream has closed just before, and remembers every connection
that it ever had. Its layers are small and its version is pinned exactly, so what is missing is added here.
"""

from __future__ import annotations

import time

from mitmproxy.connection import Connection, ConnectionState, Server
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    HttpEvent,
    HttpLayer,
    HTTPMode,
    HttpStream,
)

from strangler_proxy.attempts import AttemptingStream, Expired, Handling
from strangler_proxy.http1 import StrictServer


class Streams(HttpLayer):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """Has an AttemptingStream for each request; sends none on a connection that is closed, and forgets it."""

    streams: dict[int, AttemptingStream]

    def __init__(self, context: Context, handling: Handling) -> None:
        super().__init__(context, HTTPMode.transparent)
        self._handling = handling
        self._closed: list[Connection] = []
        self._speaking: Connection | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Start):
            self.connections[self.context.client] = StrictServer(self.context.fork())
        self._speaking = event.connection if isinstance(event, events.ConnectionEvent) else None
        if isinstance(event, Expired):
            for stream in list(self.streams.values()):
                if stream.child_layer is None:
                    yield from self.event_to_child(stream, event)
            return
        yield from super()._handle_event(event)
        if isinstance(event, events.ConnectionClosed):
            self._closed.append(event.connection)

    def event_to_child(self, child: layer.Layer | HttpStream, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, HttpEvent) and isinstance(child, AttemptingStream) and not self._heard_by(child):
            return
        yield from super().event_to_child(child, event)

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        # No sooner: the stream that it was for may still be told something by way of it.
        if not self.streams:
            for connection in self._closed:
                self.connections.pop(connection, None)
            self._closed.clear()
            for connection in [one for one in self.connections if isinstance(one, Server) and one.error]:
                del self.connections[connection]
        self.streams[stream_id] = AttemptingStream(self.context.fork(), stream_id, self._handling, time.monotonic)
        yield from self.event_to_child(self.streams[stream_id], events.Start())

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> layer.CommandGenerator[None]:
        for connection in list(self.connections):
            if not event.connection_spec_matches(connection):
                continue
            if connection.error:
                # mitmproxy would have every later request fail like the one that it was for.
                del self.connections[connection]
            elif connection.connected and not self._handling.can_send(connection):
                # Nothing was sent on it, so the request can have another one, also a write.
                connection.state &= ~ConnectionState.CAN_READ
        yield from super().get_connection(event, reuse=reuse)

    def _heard_by(self, stream: AttemptingStream) -> bool:
        return not isinstance(self._speaking, Server) or stream.hears(self._speaking)
