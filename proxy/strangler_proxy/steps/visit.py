"""A request on its way through the gateway's steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.policies import Effective


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit that a request goes by, as its client is told of it."""

    name: str
    quota: int
    window: int
    """Seconds in which so many requests are let through."""
    left: int
    reset: int
    """Seconds until all of them are left."""


@dataclass(kw_only=True)
class Visit:
    """What the steps see of a request, and may change: target, fields and body go on as they stand then."""

    policy: Effective
    method: str
    target: str
    """Path and query."""
    fields: Fields
    """As forwarded; the client's own credentials are in it."""
    body: bytes | None
    """None where it is too long to be kept, and passes as it comes."""
    address: str
    client_key: str
    """What its bucket is made of; empty where it came without one."""
    cookies: list[str]
    authorization: str | None
    key: str = ""
    """The developer's key that it came with, by its id, once a step has accepted it."""
    user: str = ""
    """Who it comes from, once a step knows."""
    limits: list[Limit] = field(default_factory=list)
