"""One client connection's requests, and its connections to upstreams.

mitmproxy answers 502 where an upstream closed an idle connection just before a request arrives, and remembers every
connection that it ever had. Its layers are small and its version is pinned exactly, so what is missing is added here.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    HttpLayer,
    HTTPMode,
    HttpStream,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseProtocolError,
    SendHttp,
)
from mitmproxy.proxy.layers.tcp import TCPLayer

from strangler_proxy.http1 import StrictServer

LONGEST = 1 << 20
"""Bytes of an answer's body that is waited for whole."""
_REPEATABLE = frozenset({"GET", "HEAD"})


class Streams(HttpLayer):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """Has a RepeatingStream for each request; sends none on a connection that is closed, and forgets it."""

    def __init__(self, context: Context, can_send: Callable[[Connection], bool]) -> None:
        super().__init__(context, HTTPMode.transparent)
        self._can_send = can_send
        self._closed: list[Connection] = []

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Start):
            self.connections[self.context.client] = StrictServer(self.context.fork())
        yield from super()._handle_event(event)
        if isinstance(event, events.ConnectionClosed):
            self._closed.append(event.connection)

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        # No sooner: the stream that it was for may still be told something by way of it.
        if not self.streams:
            for connection in self._closed:
                self.connections.pop(connection, None)
            self._closed.clear()
        self.streams[stream_id] = RepeatingStream(self.context.fork(), stream_id)
        yield from self.event_to_child(self.streams[stream_id], events.Start())

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> layer.CommandGenerator[None]:
        for connection in self.connections:
            if event.connection_spec_matches(connection) and connection.connected and not self._can_send(connection):
                # Nothing was sent on it, so the request can have another one, also a write.
                connection.state &= ~ConnectionState.CAN_READ
        yield from super().get_connection(event, reuse=reuse)


class RepeatingStream(HttpStream):  # type: ignore[misc]
    """Sends a read without a body once more, on a new connection, if nothing of an answer has come."""

    repeated = False

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        if not self._repeatable(event):
            yield from super().handle_protocol_error(event)
            return
        self.repeated = True
        # The broken connection is closed, so that a new one is made.
        if (yield from self.make_server_connection()):
            headers = RequestHeaders(self.stream_id, self.flow.request, end_stream=True)
            yield SendHttp(headers, self.context.server)
            yield SendHttp(RequestEndOfMessage(self.stream_id), self.context.server)

    def state_consume_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """An answer that is waited for whole has to be of a bounded length."""
        if isinstance(event, ResponseData) and len(self.response_body_buf) + len(event.data) > LONGEST:
            self.response_body_buf.clear()
            message = "the answer is too long for what has to be done with it"
            yield SendHttp(RequestProtocolError(self.stream_id, message), self.context.server)
            yield from super().handle_protocol_error(ResponseProtocolError(self.stream_id, message))
            return
        yield from super().state_consume_response_body(event)

    def flow_done(self) -> layer.CommandGenerator[None]:
        """Where the protocol was changed, pass on what comes: mitmproxy would unpack messages, and keep them all."""
        if self.flow.response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            yield from super().flow_done()
            return
        self.flow.live = False
        self.child_layer = TCPLayer(self.context, ignore=True)
        self._handle_event = self.passthrough
        yield from self.child_layer.handle_event(events.Start())
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def _repeatable(self, event: RequestProtocolError | ResponseProtocolError) -> bool:
        return (
            isinstance(event, ResponseProtocolError)
            and not self.repeated
            and self.server_state == self.state_wait_for_response_headers
            and self.client_state == self.state_done
            and self.flow.request.method in _REPEATABLE
            and not self.flow.request.stream
            and not self.flow.request.raw_content
            and self.flow.response is None
        )
