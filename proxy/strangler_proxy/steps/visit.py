"""A request on its way through the gateway's steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from strangler_proxy.answers import Answer
from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.policies import Effective
from strangler_proxy.gateway.transform import Transform
from strangler_proxy.routes import Decision, Upstream


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


@dataclass(frozen=True, kw_only=True)
class Side:
    """Who answers a read: an upstream, for a version of a move's routes or for none."""

    upstream: Upstream
    move: str | None = None
    version: tuple[int, int] | None = None


class Routing(Protocol):
    """What lies behind the gateway for one request."""

    def decide(self, target: str) -> Decision | None:
        """Where the table in force sends a read of the target; None where somebody has to be asked first."""

    def policy(self, method: str, target: str) -> Effective | None:
        """What the policies in force say of another target. Raises AmbiguousPath."""

    def stay_at(self, stage: str) -> None:
        """Have the request answered there, whoever owns its path."""

    def side(self, decision: Decision) -> Side:
        """The decision's upstream, as the table in force has it."""

    def wrote(self, move: str) -> int:
        """The last moment at which the client may have written to the move, by time.monotonic_ns(); 0 for never."""

    async def ask(self, target: str, fields: Fields, longest: int) -> tuple[Decision, Answer] | None:
        """Read the target once, apart from the request; None where nobody answered, or with a body that is longer."""


@dataclass(kw_only=True, eq=False)
class Visit:
    """What the steps see of a request, and may change: target, fields, body and cookies go on as they stand then."""

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
    routing: Routing
    key: str = ""
    """The developer's key that it came with, by its id, once a step has accepted it."""
    plan: str = ""
    """Of that key."""
    user: str = ""
    """Who it comes from, once a step knows."""
    limits: list[Limit] = field(default_factory=list)
    decision: Decision | None = None
    """Where it went, or where an answer that a step gave is from."""
    answered_by: str = ""
    """The step that gave its answer, for the access log."""
    keep_json: bool = False
    """Whether a step works on the answer's body, if that is JSON: it is waited for whole then."""
    version: str = ""
    """The version of the interface that its client speaks, where there are some."""
    version_transform: Transform | None = None
    """What that asks for."""
    tee: Callable[[bytes], bytes] | None = None
    """Sees an answer's body as it passes, and b"" at its end."""
    notes: dict[type, Any] = field(default_factory=dict)
    """What steps remember of it, each under a type of its own."""
    ended: list[Callable[[], None]] = field(default_factory=list)
    """Called when the request is over, whichever way."""
