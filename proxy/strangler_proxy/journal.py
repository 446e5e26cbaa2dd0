"""What is noted of each answered request: the counters, and one line of the access log."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from strangler_proxy import metrics
from strangler_proxy.routes import RouteTable
from strangler_proxy.taken import Taken, taken

if TYPE_CHECKING:
    from strangler_proxy.exchange import Exchange

access = logging.getLogger("strangler_proxy.access")
_series: dict[tuple[Taken, str, str], tuple[Counter, Histogram]] = {}


def note(exchange: Exchange, status: int) -> None:
    """Count the request and log it: no query, no header and no body, which may hold secrets."""
    seconds = time.monotonic() - exchange.began
    how = taken(exchange)
    kind = "write" if exchange.is_write else "read"
    requests, durations = _counters(how, kind, f"{status // 100}xx")
    requests.inc()
    durations.observe(seconds)
    if access.isEnabledFor(logging.INFO):
        access.info(
            json.dumps(
                {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "client": exchange.address,
                    "method": exchange.method,
                    "path": exchange.path.partition("?")[0],
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "held_ms": round(exchange.held * 1000, 1),
                    "route": how.route,
                    "move": how.move,
                    "side": how.side,
                    "version": how.version,
                    "upstream": how.upstream,
                    "why": how.why,
                    "retries": exchange.retries,
                    "gateway": exchange.revision,
                    "key": exchange.met.key if exchange.met is not None else "",
                    "traceparent": exchange.trace,
                }
            )
        )


def table_changed(table: RouteTable) -> None:
    """Forget the series of versions that are routed no more: there would be ever more of them."""
    versions = {move.move: f"{move.term}.{move.n}" for move in table.moves}
    for key in [key for key in _series if key[0].version not in ("", versions.get(key[0].move))]:
        del _series[key]
        how, kind, status = key
        metrics.REQUESTS.remove(*_labels(how), kind, status)
        if not any(_labels(other[0]) == _labels(how) for other in _series):
            metrics.SECONDS.remove(*_labels(how))


def _counters(how: Taken, kind: str, status: str) -> tuple[Counter, Histogram]:
    key = Taken(route=how.route, move=how.move, side=how.side, version=how.version, upstream=how.upstream), kind, status
    if key not in _series:
        labels = _labels(how)
        _series[key] = metrics.REQUESTS.labels(*labels, kind, status), metrics.SECONDS.labels(*labels)
    return _series[key]


def _labels(how: Taken) -> tuple[str, str, str, str, str]:
    return how.route, how.move, how.side, how.version, how.upstream
