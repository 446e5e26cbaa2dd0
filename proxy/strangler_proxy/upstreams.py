"""Requests that the proxy makes itself: canary reads, which may fall back, and writes that are sent again."""

from __future__ import annotations

import time

import httpx
from mitmproxy import http

from strangler_proxy.forwarding import end_to_end
from strangler_proxy.routes import Upstream

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0


def new_client() -> httpx.AsyncClient:
    """A client that neither follows redirects nor listens to the environment."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_keepalive_connections=64, keepalive_expiry=30.0),
        follow_redirects=False,
        trust_env=False,
    )


async def fetch(client: httpx.AsyncClient, upstream: Upstream, request: http.Request) -> http.Response:
    """Send the request as it is to the upstream, and give its answer as it is. Raises httpx.HTTPError."""
    outgoing = httpx.Request(
        request.method,
        httpx.URL(upstream.url).copy_with(raw_path=request.path.encode("utf-8", "surrogateescape")),
        headers=end_to_end(request.headers.fields),
        content=request.raw_content or b"",
    )
    began = time.time()
    answer = await client.send(outgoing, stream=True)
    try:
        # Raw: compressed bytes stay as the upstream made them.
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
    finally:
        await answer.aclose()
    headers = http.Headers(end_to_end(answer.headers.raw))
    if request.method != "HEAD" and answer.status_code not in (204, 304):
        headers["Content-Length"] = str(len(body))
    return http.Response(
        http_version=b"HTTP/1.1",
        status_code=answer.status_code,
        reason=answer.reason_phrase.encode("latin-1"),
        headers=headers,
        content=body,
        trailers=None,
        timestamp_start=began,
        timestamp_end=time.time(),
    )
