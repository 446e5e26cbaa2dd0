"""What is noted of each answered request: the counters, and one line of the access log."""

from __future__ import annotations

import functools
import json
import logging
import time

from prometheus_client import Counter, Histogram

from strangler_proxy import metrics
from strangler_proxy.exchange import Exchange

access = logging.getLogger("strangler_proxy.access")


def note(exchange: Exchange, status: int) -> None:
    """Count the request and log it."""
    seconds = time.monotonic() - exchange.began
    move = exchange.decision.move or "" if exchange.decision else ""
    upstream = exchange.decision.upstream if exchange.decision else ""
    kind = "write" if exchange.is_write else "read"
    requests, durations = _counters(move, upstream, kind, f"{status // 100}xx")
    requests.inc()
    durations.observe(seconds)
    if access.isEnabledFor(logging.INFO):
        access.info(
            json.dumps(
                {
                    "method": exchange.method,
                    "path": exchange.path.partition("?")[0],
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "held_ms": round(exchange.held * 1000, 1),
                    "upstream": upstream,
                    "why": exchange.decision.reason if exchange.decision else "",
                    "traceparent": exchange.trace,
                }
            )
        )


@functools.cache
def _counters(move: str, upstream: str, kind: str, status: str) -> tuple[Counter, Histogram]:
    return metrics.REQUESTS.labels(move, upstream, kind, status), metrics.SECONDS.labels(move, upstream)
