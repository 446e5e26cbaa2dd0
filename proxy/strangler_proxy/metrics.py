"""What the proxy counts; Prometheus reads it at /-/metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
_WAYS = ["route", "move", "side", "version", "upstream"]
"""Which way a request took, as strangler_proxy.taken has it."""
REQUESTS = Counter("strangler_requests", "Answered requests.", [*_WAYS, "kind", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "strangler_request_seconds",
    "From the request's headers to the end of its answer.",
    _WAYS,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
HELD = Counter("strangler_held", "Writes that waited for a hold.", ["move"], registry=REGISTRY)
WAITING = Gauge("strangler_waiting", "Writes that wait for a hold now.", registry=REGISTRY)
REPLAYED = Counter("strangler_replayed", "Refused writes that were sent again.", ["move", "outcome"], registry=REGISTRY)
FALLBACKS = Counter(
    "strangler_fallbacks", "Reads that one side failed and the other was asked for.", ["move"], registry=REGISTRY
)
_GUARDED = ["upstream", "policy"]
CIRCUIT = Gauge(
    "strangler_circuit", "How an upstream's circuit stands: 0 closed, 1 half open, 2 open.", _GUARDED, registry=REGISTRY
)
EJECTED = Counter("strangler_ejected", "Times that an upstream's circuit opened.", _GUARDED, registry=REGISTRY)
RETRIED = Counter(
    "strangler_retried",
    "Failed reads that were sent again, or had no budget.",
    [*_GUARDED, "outcome"],
    registry=REGISTRY,
)
INSIDE = Gauge("strangler_bulkhead_inside", "Requests that have a place now.", _GUARDED, registry=REGISTRY)
QUEUED = Gauge("strangler_bulkhead_queued", "Requests that wait for a place now.", _GUARDED, registry=REGISTRY)
TURNED_AWAY = Counter(
    "strangler_turned_away",
    "Requests for which an upstream was not well, or full.",
    [*_GUARDED, "why"],
    registry=REGISTRY,
)
TASKS = Gauge("strangler_tasks", "Tasks of the event loop now.", registry=REGISTRY)
HUNG_UP = Counter(
    "strangler_hung_up",
    "Clients that were turned away: too many, too slow with a request, its header or its body, or for want of memory.",
    ["why"],
    registry=REGISTRY,
)
DENIED = Counter(
    "strangler_denied", "Requests that a policy let nobody through for.", ["policy", "status"], registry=REGISTRY
)
THROTTLED = Counter(
    "strangler_throttled", "Requests that a policy's token buckets turned away.", ["policy"], registry=REGISTRY
)
OVER_QUOTA = Counter(
    "strangler_over_quota", "Requests of keys whose plan's quota is used up.", ["plan"], registry=REGISTRY
)
USAGE_LOST = Counter("strangler_usage_lost", "Days of a key's usage that nobody collected in time.", registry=REGISTRY)
UNWRITTEN = Counter(
    "strangler_unwritten", "Times that what keys have used could not be written to its file.", registry=REGISTRY
)
SHARED_UP = Gauge("strangler_shared_up", "Whether the shared Valkey answered last time.", registry=REGISTRY)
SHARED_ALONE = Counter(
    "strangler_shared_alone",
    "Decisions by this process's own counts, since the shared Valkey was away.",
    registry=REGISTRY,
)
VERSIONS = Counter(
    "strangler_versions",
    "Requests by the version of the interface that they speak.",
    ["policy", "version"],
    registry=REGISTRY,
)
INVALID = Counter(
    "strangler_invalid",
    "Requests and answers that are not as documented.",
    ["policy", "what", "why"],
    registry=REGISTRY,
)
CACHE = Counter(
    "strangler_cache",
    "Reads for which a cache is stated: hit, stale, revalidated, miss (of these some become the two before), bypass.",
    ["outcome"],
    registry=REGISTRY,
)
CACHE_BYTES = Gauge("strangler_cache_bytes", "What the cache holds.", registry=REGISTRY)


def text() -> bytes:
    """All of it in Prometheus's text format."""
    exposed: bytes = generate_latest(REGISTRY)
    return exposed
