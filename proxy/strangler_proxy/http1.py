"""mitmproxy's layers for HTTP/1.1, strict about what they take and with answers of our own.

mitmproxy's own normalise what they read, which leaves nothing of most tricks, but pass on control characters and folded
lines, take answers that only inform for final ones, keep headers without an end, and tell their name and our addresses.
"""

from __future__ import annotations

from mitmproxy.http import Headers, MessageData, Request, Response, ResponseData
from mitmproxy.net.http import status_codes
from mitmproxy.net.http.http1 import connection_close, expected_http_body_size
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import (
    HttpEvent,
    ReceiveHttp,
    RequestHeaders,
    RequestProtocolError,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http import ResponseData as BodyData
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server

from strangler_proxy import heads, hops
from strangler_proxy.answers import as_json, as_sent

_UNTIL_CLOSED = -1
_NO_BODY = frozenset({204, 304})
_DETAILS = {
    400: "the request is malformed",
    408: "the request did not come to its end in time",
    502: "the upstream gave no proper answer",
    504: "the upstream gave no answer in time",
}


IDLE, HEADER, BODY = "idle", "header", "body"
"""What a client may be expected to send: a request, the rest of its header, the rest of its body."""


class StrictServer(Http1Server):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """The client's connection."""

    @property
    def expects(self) -> str:
        """What the client has to send next; empty while it waits for us."""
        if self.state == self.read_headers:
            return HEADER if self.buf else IDLE
        return BODY if self.state == self.read_body else ""

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """Take a header only whole, and only where nobody could read another one from it."""
        if isinstance(event, events.DataReceived):
            while (begin := _begin(self, heads.LONGEST_REQUEST)).startswith(b"\r\n"):
                self.buf.maybe_extract_at_most(2)  # a client may end what it sent before with an empty line too many
            wrong = heads.request(begin)
            if isinstance(wrong, heads.Incomplete):
                return
            if wrong is not None:
                yield from self.refuse(wrong.status, wrong.detail)
                return
        for command in super().read_headers(event):
            if isinstance(command, ReceiveHttp) and isinstance(command.event, RequestHeaders):
                # Its host is that of the Host field, which goes on: an absolute target has nothing more to say.
                command.event.request.data.authority = b""
            yield self._ours(command, 400)

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Wait for no end of a chunk's header or of trailers that is too far away."""
        yield from super().read_body(event)
        if self.state == self.read_body and len(self.buf) > heads.LONGEST_REQUEST:
            yield commands.CloseConnection(self.conn)
            yield ReceiveHttp(RequestProtocolError(self.stream_id, "a chunk's header or the trailers have no end"))

    def refuse(self, status: int, detail: str) -> layer.CommandGenerator[None]:
        """Answer what has not become a request, and end the connection."""
        yield commands.SendData(self.conn, as_sent(as_json(status, {"detail": detail})))
        yield commands.CloseConnection(self.conn)
        self.state = self.done

    def send(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """What mitmproxy would say of an error is for its log: the client gets an answer like our others.

        A body where none may be would be taken for the beginning of the next answer.
        """
        if isinstance(event, BodyData) and self._has_no_body():
            return
        if isinstance(event, ResponseHeaders):
            self._tell_of_the_end(event.response)
        for command in super().send(event):
            yield self._ours(command, event.code) if isinstance(event, ResponseProtocolError) else command

    def _tell_of_the_end(self, response: Response) -> None:
        """A client that will send no more is told that nothing comes behind this answer."""
        asked = self.request
        if asked is None or asked.data.http_version != b"HTTP/1.1" or "connection" in response.headers:
            return
        if connection_close(asked.http_version, asked.headers):
            response.headers.fields = (*response.headers.fields, (b"Connection", b"close"))

    def _has_no_body(self) -> bool:
        head = self.request is not None and self.request.method == "HEAD"
        return head or (self.response is not None and self.response.status_code in _NO_BODY)

    def _ours(self, command: commands.Command, status: int) -> commands.Command:
        if not isinstance(command, commands.SendData):
            return command
        detail = _DETAILS.get(status, status_codes.RESPONSES.get(status, "error").lower())
        return commands.SendData(self.conn, as_sent(as_json(status, {"detail": detail})))


class StrictClient(Http1Client):  # type: ignore[misc]
    """A connection to an upstream."""

    _interim = 0

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """Take final answers alone, whole, and a change of the protocol only where it was asked for."""
        while isinstance(event, events.DataReceived) and self.request and self.buf:
            found = heads.answer(_begin(self, heads.LONGEST_ANSWER))
            if isinstance(found, heads.Incomplete):
                return
            if isinstance(found, heads.Malformed):
                yield from self._give_up(found.detail)
                return
            if found >= 200 or (found == 101 and "upgrade" in self.request.headers):
                break
            self._interim += 1
            if found == 101 or self._interim > heads.MOST_INTERIM:
                yield from self._give_up("it switches protocols, which nobody asked for" if found == 101 else "no end")
                return
            self.buf.maybe_extract_lines()
        self._interim = 0
        if self.buf or not isinstance(event, events.DataReceived):
            yield from self._read_answer(event)

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Wait for no end of a chunk's header or of trailers that is too far away."""
        yield from super().read_body(event)
        if self.state == self.read_body and len(self.buf) > heads.LONGEST_ANSWER:
            yield from self._give_up("a chunk's header or the trailers have no end")

    def _read_answer(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        for command in super().read_headers(event):
            if isinstance(command, ReceiveHttp) and isinstance(command.event, ResponseHeaders):
                # The client's answer is another one from here on than what tells whether the connection goes on.
                self.response = _standing_for(command.event.response)
                _be_for_client(command.event.response, self.request)
            yield command

    def _give_up(self, why: str) -> layer.CommandGenerator[None]:
        yield commands.CloseConnection(self.conn)
        yield ReceiveHttp(ResponseProtocolError(self.stream_id, why))


def _begin(connection: Http1Server | Http1Client, longest: int) -> bytes:
    """What has come, as far as it may be a header: a client may have sent much more behind it."""
    return bytes(connection.buf._data[: longest + 2])


def _standing_for(response: Response) -> Response:
    """What tells of an answer's connection, whatever becomes of the answer. Made without the checks of a new one."""
    standing, data = object.__new__(Response), object.__new__(ResponseData)
    data.__dict__.update(response.data.__dict__, headers=Headers(response.headers.fields))
    standing.data = data
    return standing


def _be_for_client(response: Response, request: Request) -> None:
    """Leave out how long the upstream's connection lives; give the body an end where that is the connection's."""
    response.data.http_version = b"HTTP/1.1"
    fields = hops.without_persistence(response.headers.fields)
    endless = expected_http_body_size(request, response) == _UNTIL_CLOSED
    if endless and request.data.http_version == b"HTTP/1.1" and b"transfer-encoding" not in response.headers:
        fields = (*fields, (b"Transfer-Encoding", b"chunked"))
    response.headers.fields = fields


def be_strict() -> None:
    """Have mitmproxy make connections to upstreams so. It makes them by this name, and takes no other.

    Its messages are made of what was read as bytes, or by code whose types are checked before it runs: to check the
    types of their fields each time is a tenth of what a request costs.
    """
    http.Http1Client = StrictClient
    MessageData.__post_init__ = lambda self: None
