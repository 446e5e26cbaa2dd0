"""What is noted of each answered request: the counters, and one line of the access log."""

from __future__ import annotations

import json
import logging
import time

from mitmproxy import http

from strangler_proxy import metrics
from strangler_proxy.exchange import Exchange
from strangler_proxy.routes import SAFE_METHODS

access = logging.getLogger("strangler_proxy.access")


def note(request: http.Request, exchange: Exchange, status: int) -> None:
    """Count the request and log it."""
    seconds = time.monotonic() - exchange.began
    move = exchange.decision.move or "" if exchange.decision else ""
    upstream = exchange.decision.upstream if exchange.decision else ""
    kind = "read" if request.method in SAFE_METHODS else "write"
    metrics.REQUESTS.labels(move, upstream, kind, f"{status // 100}xx").inc()
    metrics.SECONDS.labels(move, upstream).observe(seconds)
    if access.isEnabledFor(logging.INFO):
        access.info(
            json.dumps(
                {
                    "method": request.method,
                    "path": request.path.partition("?")[0],
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "held_ms": round(exchange.held * 1000, 1),
                    "upstream": upstream,
                    "why": exchange.decision.reason if exchange.decision else "",
                    "traceparent": request.headers.get("traceparent", ""),
                }
            )
        )
