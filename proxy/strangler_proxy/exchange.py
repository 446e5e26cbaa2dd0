"""What the proxy remembers of one request until it is answered."""

from __future__ import annotations

import posixpath
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mitmproxy import http

from strangler_proxy import forwarding, operators
from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.resilience import Resilience
from strangler_proxy.refusal import Refusal
from strangler_proxy.resilience.guards import Guard
from strangler_proxy.routes import SAFE_METHODS, Decision, RouteTable
from strangler_proxy.steps.visit import Visit
from strangler_proxy.trust import NOBODY, Trusted, Way

if TYPE_CHECKING:
    from strangler_proxy.rehearsing import Rehearsal

BUFFERED = 1 << 20
"""Bytes of a write's body that are kept so that it can wait and be sent again; larger ones are streamed."""


@dataclass(kw_only=True)
class Exchange:
    """One request on its way."""

    method: str
    path: str
    fields: Fields
    """The request's header, forwarded, with the client's own credentials: what each attempt begins with."""
    as_sent: Fields
    """The same before the gateway's steps changed it: what is decided by."""
    client_key: str
    new_client: bool
    cookies: list[str]
    cookies_on: list[str]
    """Those that go on; the gateway may leave some out."""
    authorization: str | None
    own: bool  # the proxy answers itself
    large: bool  # not to be kept
    began: float = field(default_factory=time.monotonic)
    address: str = ""
    """The client's, as far as it is known."""
    revision: int = 0
    """Of the gateway that it met."""
    visit: Visit | None = None
    """Where the gateway has policies for it."""
    met: Visit | None = None
    """The same, also when it has answered."""
    stage: str = ""
    """Who answers it whoever owns its path."""
    decision: Decision | None = None
    table: RouteTable | None = None
    """By which that was decided."""
    retries: int = 0
    """How often it was sent again, to whomever."""
    span: Any = None
    """Of OpenTelemetry, where that is configured."""
    read: Any = None
    """The strangler_proxy.reads.Read, where it is looked at."""
    guard: Guard | None = None
    """What it has taken of its upstream, where a policy bounds that."""
    sent: float = 0.0
    """When the last attempt began, by time.monotonic()."""
    in_flight: str = ""
    version: tuple[int, int] | None = None
    """Of the move's routes by which a write was sent to its owner."""
    held: float = 0.0
    also: Fields = ()
    """What only its owner is to see of us beside."""
    rehearsal: Rehearsal | None = None
    """Where a write is rehearsed, until its owner has answered."""
    refusal: Refusal | None = None
    refused: http.Response | None = None
    """The refusal, while the request is on its way to somebody else."""
    replayed: bool = False
    finished: bool = False
    """The answer's header is the client's."""

    @property
    def resilience(self) -> Resilience | None:
        """What a policy states of its upstream."""
        return self.visit.policy.resilience if self.visit is not None else None

    @property
    def longest_body(self) -> int | None:
        """Bytes that a policy lets its body have."""
        return self.visit.policy.longest_body if self.visit is not None else None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent to several upstreams, one after the other: a read that changes nothing."""
        upgrade = forwarding.values(self.fields, b"upgrade")
        return self.method in ("GET", "HEAD") and not self.large and not upgrade

    @property
    def trace(self) -> str:
        """The value of traceparent."""
        return "".join(forwarding.values(self.fields, b"traceparent"))

    @property
    def is_write(self) -> bool:
        return self.method not in SAFE_METHODS


def begin(request: http.Request, peer: str, trusted: Trusted = NOBODY) -> Exchange:
    """What is known when the request's header is here, still as the client sent it."""
    fields = request.headers.fields
    way = _way(fields, peer, request.scheme, trusted)
    cookies = forwarding.values(fields, b"cookie")
    authorization = ", ".join(forwarding.values(fields, b"authorization")) or None
    key, new = forwarding.client_key(cookies, authorization)
    path, large = request.path, _is_large(fields)
    # Of a body that is streamed, mitmproxy answers the expectation later, and takes it out by itself.
    passed_on = fields if large else forwarding.told_to_go_on(fields)
    forwarded = forwarding.forwarded(passed_on, way)
    return Exchange(
        method=request.method,
        path=path,
        fields=forwarded,
        as_sent=forwarded,
        client_key=key,
        address=way.addresses[0],
        new_client=new,
        cookies=cookies,
        cookies_on=cookies,
        authorization=authorization,
        own=is_ours(path),
        large=large,
    )


def _way(fields: Fields, peer: str, scheme: str, trusted: Trusted) -> Way:
    if not trusted.networks:
        return Way(addresses=(peer,), scheme=scheme, believed=False)
    forwarded_for, proto = (forwarding.values(fields, name) for name in (b"x-forwarded-for", b"x-forwarded-proto"))
    return trusted.way(peer, forwarded_for, proto, scheme)


def _is_large(fields: Fields) -> bool:
    """Whether the body is too long to be kept, or of unknown length."""
    if any("chunked" in value.lower() for value in forwarding.values(fields, b"transfer-encoding")):
        return True
    try:
        return any(int(value) > BUFFERED for value in forwarding.values(fields, b"content-length"))
    except ValueError:
        return True


def is_ours(target: str) -> bool:
    """Whether a server could read the path as one of the proxy's own, which no upstream is to see."""
    if target.startswith("/") and not any(sign in target for sign in ("/-", "/.", "%")):
        return False  # as nearly always, and much faster
    path = "/" + posixpath.normpath(unquote(target.partition("?")[0])).lstrip("/") + "/"
    return path.startswith((operators.PREFIX, "/.strangler"))
