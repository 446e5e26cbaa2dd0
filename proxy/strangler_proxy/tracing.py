"""Spans of requests for OpenTelemetry. Imported only where they are wanted (telemetry.py).

A thread of the SDK's sends the spans in batches; no request waits for it, and what does not fit into its queue is
dropped.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from strangler_proxy import forwarding
from strangler_proxy.exchange import Exchange
from strangler_proxy.forwarding import Fields
from strangler_proxy.taken import taken

_CLOSE_SECONDS = 2.0
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """A span a request; its id is the parent of what the upstream makes of it."""

    provider: Any
    tracer: Any

    @classmethod
    def start(cls, *, named: bool) -> Tracing:
        """Send spans to where the environment says; under our own name, if it has not "named" the service."""
        resource = Resource.create({} if named else {"service.name": "strangler-proxy"})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider=provider, tracer=provider.get_tracer("strangler_proxy"))

    def begin(self, exchange: Exchange, sent: Fields) -> None:
        """Begin its span, as a part of the client's trace where it sent one, and have the upstream continue it."""
        theirs = "".join(forwarding.values(sent, b"traceparent")) == exchange.trace
        context = _remote(exchange.trace) if theirs else Context()
        exchange.span = self.tracer.start_span(exchange.method, context=context, kind=SpanKind.SERVER)
        ours = exchange.span.get_span_context()
        trace = f"00-{ours.trace_id:032x}-{ours.span_id:016x}-{int(ours.trace_flags):02x}"
        kept = (field for field in exchange.fields if field[0] != b"traceparent")
        exchange.fields = exchange.as_sent = (*kept, (b"traceparent", trace.encode()))

    def end(self, exchange: Exchange, status: int) -> None:
        """Tell what became of the request."""
        span, exchange.span = exchange.span, None
        if span is None or not span.is_recording():
            return
        how = taken(exchange)
        span.update_name(f"{exchange.method} {how.route}".rstrip())
        span.set_attributes(
            {
                "http.request.method": exchange.method,
                "http.response.status_code": status,
                "http.route": how.route,
                "strangler.move": how.move,
                "strangler.side": how.side,
                "strangler.version": how.version,
                "strangler.upstream": how.upstream,
                "strangler.decision": how.why,
                "strangler.held_ms": round(exchange.held * 1000, 1),
                "strangler.retries": exchange.retries,
            }
        )
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    def close(self) -> None:
        """Send what is left, and wait for that only so long: a collector that is away is tried again and again."""
        closing = threading.Thread(target=self.provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)


def _remote(trace: str) -> Any:

    found = _TRACEPARENT.fullmatch(trace)
    assert found is not None, "the proxy continues no other traces"
    flags = TraceFlags(int(found[3], 16))
    parent = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(parent))
