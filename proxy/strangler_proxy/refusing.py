"""Requests that are answered before their body is here: nothing of it is kept, however much may come.

mitmproxy would keep all of it before it answers, and would have the client send what is refused already.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from mitmproxy import http
from mitmproxy.net.http.status_codes import NO_RESPONSE
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import (
    DropStream,
    HttpRequestHeadersHook,
    HttpResponseHeadersHook,
    HttpStream,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseProtocolError,
    SendHttp,
)

LONGEST = "strangler_longest"
"""Where a flow's metadata has how many bytes its request's body may be of."""
_LEFT_OUT = 64 << 20
"""Bytes that a client may go on sending, so that it comes to read its answer."""


@dataclass
class TooLargeHook(commands.StartHook):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """A body that passes has become longer than it may be: the flow is to be given an answer."""

    flow: http.HTTPFlow


class RefusingStream(HttpStream):  # type: ignore[misc]
    """Answers at once, leaves out what still comes, and ends the connection."""

    _came = 0

    def state_wait_for_request_headers(self, event: RequestHeaders) -> layer.CommandGenerator[None]:
        generator, reply = super().state_wait_for_request_headers(event), None
        while True:
            try:
                command = generator.send(reply)
            except StopIteration:
                return
            reply = yield command
            looked_at = isinstance(command, HttpRequestHeadersHook) and not event.end_stream
            if looked_at and self.flow.response is not None and self.flow.error is None:
                generator.close()
                yield from self._refuse()
                return

    def state_stream_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, RequestData) and (longest := self.flow.metadata.get(LONGEST)) is not None:
            self._came += len(event.data)
            if self._came > longest:
                yield from self._too_large()
                return
        yield from super().state_stream_request_body(event)

    def give_up_upstream(self) -> layer.CommandGenerator[None]:
        """Close its connection; what it still says is nobody's."""
        yield SendHttp(RequestProtocolError(self.stream_id, "the request is given up"), self.context.server)

    def _too_large(self) -> layer.CommandGenerator[None]:
        undecided = self.server_state == self.state_wait_for_response_headers
        yield from self.give_up_upstream()
        if not undecided:
            yield from self._end()
            return
        yield TooLargeHook(self.flow)
        if self.flow.response is not None:
            yield from self._refuse()
        elif not (yield from self.check_killed(True)):
            yield from self._end()

    def _refuse(self) -> layer.CommandGenerator[None]:
        if (yield from self.check_killed(True)):
            return
        self.client_state = self.state_leave_out_request_body
        self.flow.response.timestamp_start = time.time()
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        self.flow.response.headers["Connection"] = "close"
        yield from self.send_response()

    def state_leave_out_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Its header and body are the client's already; its connection ends with the request."""
        if isinstance(event, RequestData):
            self._came += len(event.data)
            if self._came > _LEFT_OUT:
                yield from self._end()
        elif isinstance(event, RequestEndOfMessage):
            self.client_state = self.state_done
            yield from self.flow_done()

    def _end(self) -> layer.CommandGenerator[None]:
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        yield SendHttp(ResponseProtocolError(self.stream_id, "too much was sent", NO_RESPONSE), self.context.client)
        yield DropStream(self.stream_id)
