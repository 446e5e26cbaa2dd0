"""Reads survive an upstream that closes an idle connection just as the request arrives.

mitmproxy answers 502 then, and has no hook that could send the request again. Its stream layer is small and its
version is pinned exactly, so the one method that gives up is extended here.
"""

from __future__ import annotations

from mitmproxy import version
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import (
    HttpStream,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseProtocolError,
    SendHttp,
)

_KNOWN = "11.0.2"
_REPEATABLE = frozenset({"GET", "HEAD"})


class RepeatingStream(HttpStream):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
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


def install() -> None:
    """Make mitmproxy use it. Raises RuntimeError under a version that it was not written for."""
    if version.VERSION != _KNOWN:
        raise RuntimeError(
            f"strangler_proxy was written for mitmproxy {_KNOWN}, not {version.VERSION}; install the pinned one"
        )
    http.HttpStream = RepeatingStream
