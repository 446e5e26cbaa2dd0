"""One request and its attempts: it may go again as long as nothing of an answer is the client's.

The layers tell of a failed attempt by a hook of ours; whoever has the hook decides whether, and to whom, it goes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    HttpResponseHeadersHook,
    HttpResponseHook,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    SendHttp,
)
from mitmproxy.proxy.layers.tcp import TCPLayer

from strangler_proxy.connections import CONNECT_SECONDS
from strangler_proxy.exchange import BUFFERED
from strangler_proxy.refusing import RefusingStream

ALLOWANCE = "strangler_allowance"
"""Where a flow's metadata has its Allowance. A request without one is sent as mitmproxy does."""
AGAIN = "strangler_again"
"""Set there by a hook that has addressed the request anew."""
_REPEATABLE = frozenset({"GET", "HEAD"})
_LATE = 504
_OF_ANSWERS = (ResponseHeaders, ResponseData, ResponseEndOfMessage, ResponseProtocolError)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How long an upstream is waited for, in seconds: until it takes a connection, and while it says nothing."""

    connect: float
    silence: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no answer. What was not sent, the upstream cannot have received."""

    why: str
    sent: bool
    late: bool


@dataclass
class AttemptFailedHook(commands.StartHook):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """Nobody has answered, and the client has nothing yet: it may be sent AGAIN, or be given an answer."""

    flow: http.HTTPFlow
    failure: Failure


@dataclass
class TooLongHook(commands.StartHook):  # type: ignore[misc]
    """An answer that was to be kept is longer than BUFFERED: it passes as it comes, if there is no other one now."""

    flow: http.HTTPFlow


class Expired(events.Event):  # type: ignore[misc]
    """A deadline may have passed."""


class Handling(Protocol):
    """What the streams of one client need of whoever has its sockets."""

    connect_seconds: float

    def can_send(self, connection: Connection) -> bool:
        """Whether an idle connection can still take a request."""

    def pending(self, connection: Connection) -> bool:
        """Whether it was given more than its other end has taken."""

    def watch(self, deadline: float) -> None:
        """Have Expired come, no later than then."""


class AttemptingStream(RefusingStream):
    """Sends a read without a body once more, on a new connection, if nothing of an answer has come; all else is decided
    by hooks."""

    def __init__(self, context: Context, stream_id: int, handling: Handling, clock: Callable[[], float]) -> None:
        super().__init__(context, stream_id)
        self.deadline: float | None = None
        self._handling = handling
        self._clock = clock
        self._repeated = False
        self._sent = False
        self._kept = False
        self._given_up: list[Connection] = []

    def hears(self, connection: Connection) -> bool:
        """Whether what comes from there is this request's: not from an upstream that was given up."""
        return connection not in self._given_up

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, Expired):
            yield from self._expired()
            return
        if self.deadline is not None:
            self._extend()
        yield from super()._handle_event(event)

    @property
    def _allowance(self) -> Allowance | None:
        allowance: Allowance | None = self.flow.metadata.get(ALLOWANCE)
        return allowance

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        self.deadline, allowance, began = None, self._allowance, time.time()
        self._sent = self._kept = False
        self._handling.connect_seconds = allowance.connect if allowance is not None else CONNECT_SECONDS
        if (yield from super().make_server_connection()):
            self._sent, self._kept = True, self.flow.server_conn.timestamp_start < began
            if allowance is not None:
                self._extend()
            return True
        return False

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        if not isinstance(event, ResponseProtocolError) or not self._undecided():
            yield from super().handle_protocol_error(event)
        elif event.code != _LATE and self._repeatable():
            self._repeated = True
            yield from self._send_again()
        elif self._allowance is not None:
            yield from self._failed(event)
        else:
            yield from super().handle_protocol_error(event)

    def state_consume_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        yield from super().state_consume_response_body(event)
        if isinstance(event, ResponseData) and len(self.response_body_buf) > BUFFERED:
            yield from self._pass_on()

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        for command in super().send_response(already_streamed):
            yield command
            if isinstance(command, HttpResponseHook) and self.flow.metadata.pop(AGAIN, False):
                yield from self._send_again()
                return

    def flow_done(self) -> layer.CommandGenerator[None]:
        """Where the protocol was changed, pass on what comes: mitmproxy would unpack messages, and keep them all."""
        if self.flow.response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            yield from super().flow_done()
            return
        self.flow.live = False
        self.child_layer = TCPLayer(self.context, ignore=True)
        self._handle_event = self.passthrough  # type: ignore[method-assign]  # as mitmproxy does
        yield from self.child_layer.handle_event(events.Start())
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def give_up_upstream(self) -> layer.CommandGenerator[None]:
        self.deadline = None
        self._given_up.append(self.context.server)
        yield from super().give_up_upstream()

    def _undecided(self) -> bool:
        """Whether the whole request is here, and nothing of an answer has gone to the client."""
        return (
            self.client_state == self.state_done
            and self.server_state in (self.state_wait_for_response_headers, self.state_consume_response_body)
            and not self.flow.request.stream
        )

    def _repeatable(self) -> bool:
        """A connection that was kept may be closed just as a request comes; that says nothing of the upstream."""
        return (
            self._kept
            and not self._repeated
            and self.server_state == self.state_wait_for_response_headers
            and self.flow.request.method in _REPEATABLE
            and not self.flow.request.raw_content
        )

    def _failed(self, event: ResponseProtocolError) -> layer.CommandGenerator[None]:
        failure = Failure(why=event.message, sent=self._sent, late=event.code == _LATE)
        self._give_up()
        yield AttemptFailedHook(self.flow, failure)
        if (yield from self.check_killed(True)):
            return
        if self.flow.metadata.pop(AGAIN, False):
            yield from self._send_again()
        elif self.flow.response is not None:
            self.flow.response.timestamp_start = time.time()
            yield HttpResponseHeadersHook(self.flow)
            if not (yield from self.check_killed(True)):
                yield from self.send_response()
        else:
            yield from super().handle_protocol_error(event)

    def _send_again(self) -> layer.CommandGenerator[None]:
        self._give_up()
        self.server_state = self.state_wait_for_response_headers
        # A connection that is broken is closed, so that a new one is made.
        if not (yield from self.make_server_connection()):
            return
        content = self.flow.request.raw_content
        yield SendHttp(RequestHeaders(self.stream_id, self.flow.request, end_stream=not content), self.context.server)
        if content:
            yield SendHttp(RequestData(self.stream_id, content), self.context.server)
        yield SendHttp(RequestEndOfMessage(self.stream_id), self.context.server)

    def _give_up(self) -> None:
        """Forget what the attempt has brought, and what may still come of it."""
        self.deadline = None
        self.flow.response = None
        self.response_body_buf.clear()
        kept = [event for event in self._paused_event_queue if not isinstance(event, _OF_ANSWERS)]
        self._paused_event_queue.clear()
        self._paused_event_queue.extend(kept)
        if self._sent and not self.context.server.connected:
            self._given_up.append(self.context.server)

    def _pass_on(self) -> layer.CommandGenerator[None]:
        yield TooLongHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        if self.flow.metadata.pop(AGAIN, False):
            yield commands.CloseConnection(self.context.server)
            yield from self._send_again()
            return
        if self.flow.response.raw_content is not None:
            yield commands.CloseConnection(self.context.server)
            self._given_up.append(self.context.server)
            self.deadline = None
            yield from self.send_response()
            return
        body = bytes(self.response_body_buf)
        self.response_body_buf.clear()
        self.flow.response.stream = self.flow.response.stream or True
        yield from self.start_response_stream()
        yield from self.state_stream_response_body(ResponseData(self.stream_id, body))

    def _extend(self) -> None:
        allowance = self._allowance
        if allowance is not None:
            self.deadline = self._clock() + allowance.silence
            self._handling.watch(self.deadline)

    def _expired(self) -> layer.CommandGenerator[None]:
        allowance = self._allowance
        if self.deadline is None or allowance is None:
            return
        # A client that takes nothing keeps us from hearing its upstream; one that is still sending is the slow one.
        ours = self._handling.pending(self.context.client) or (
            self.client_state != self.state_done and not self._handling.pending(self.context.server)
        )
        if ours:
            self._extend()
        elif self._clock() < self.deadline:
            self._handling.watch(self.deadline)
        else:
            yield commands.CloseConnection(self.context.server)
            self._given_up.append(self.context.server)
            said = f"The upstream has said nothing for {allowance.silence:g} seconds."
            yield from self.handle_protocol_error(ResponseProtocolError(self.stream_id, said, _LATE))
