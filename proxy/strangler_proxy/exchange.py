"""What the proxy remembers of one request until it is answered."""

from __future__ import annotations

import posixpath
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

from mitmproxy import http

from strangler_proxy import forwarding, operators
from strangler_proxy.refusal import Refusal
from strangler_proxy.routes import Decision

BUFFERED = 1 << 20
"""Bytes of a write's body that are kept so that it can wait and be sent again; larger ones are streamed."""


@dataclass(kw_only=True)
class Exchange:
    """One request on its way. The client's credentials are kept as they came: the headers change."""

    client_key: str
    new_client: bool
    cookies: list[str]
    authorization: str | None
    began: float = field(default_factory=time.monotonic)
    decision: Decision | None = None
    in_flight: str = ""
    own: bool = False  # the proxy answers itself
    held: float = 0.0
    refusal: Refusal | None = None


def begin(request: http.Request) -> Exchange:
    """What is known when the request's headers are here, still as the client sent them."""
    cookies = request.headers.get_all("Cookie")
    authorization = request.headers.get("Authorization")
    key, new = forwarding.client_key(cookies, authorization)
    return Exchange(
        client_key=key, new_client=new, cookies=cookies, authorization=authorization, own=_is_ours(request.path)
    )


def is_large(request: http.Request) -> bool:
    """Whether the body is too long to be kept, or of unknown length."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return True
    try:
        return int(request.headers.get("Content-Length", "0")) > BUFFERED
    except ValueError:
        return True


def _is_ours(target: str) -> bool:
    """Whether a server could read the path as one of the proxy's own, which no upstream is to see."""
    path = "/" + posixpath.normpath(unquote(target.partition("?")[0])).lstrip("/") + "/"
    return path.startswith((operators.PREFIX, "/.strangler"))
