"""What an engine carries of a route table by itself, and what it sends through the Python proxy, its companion. Pure.

Such an engine sends each request either to the upstream that decide() names, or to the companion, which decides. What
is in transition, or asks for more than the engine does, so has one implementation, and nothing is left out silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum

from strangler_proxy.clients import CLIENT
from strangler_proxy.gateway.policies import Policy
from strangler_proxy.patterns import segments, shape
from strangler_proxy.routes import BUCKETS, SAFE_METHODS, MoveRoutes, RouteTable, bucket

from strangler.rollout.engines.base import NotCarried

COMPANION = ":companion"
"""Where a request goes that is left to the Python proxy. No upstream has such a name."""

RESERVED = ("/.strangler", "/-/")
"""Paths that begin so are no client's: an engine answers 404."""

INNER = (
    *("Strangler-Effects", "Strangler-Identity", "Strangler-Issuer", "Strangler-Key", "Strangler-Move"),
    *("Strangler-Proxy-Token", "Strangler-Refused", "Strangler-Rehearsal", "Strangler-Rehearsal-Token"),
    *("Strangler-Scopes", "Strangler-Shadow", "Strangler-Subject", "Strangler-Way"),
)
"""Fields that only a proxy may say, for what cannot take out all whose names begin so."""

ODD = (
    r"//"
    r"|/(?:\.|%2[eE]){1,2}(?:/|$)"
    r"|\\|%5[cC]|%2[fF]|%00"
    r"|%(?:2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])"
)
"""What makes a path odd, its query left out: it can be read in more than one way, or encodes what patterns consist of.

Any other is under a pattern if the segments that were sent are the pattern's. Any dialect of regular expressions.
"""

_ODD = re.compile(ODD)


class Feature(Enum):
    """What a route can ask of an engine, as a part of the sentence that refuses it."""

    TRANSITION = "writes that wait for a new owner and are sent again"
    CANARY = "reads that are split by weight, counted, and fall back"  # no engine but the Python proxy
    BUCKETS = "telling clients apart by their buckets"
    SHADOW = "shadowed reads"
    IDENTITY = "who the client is in place of its session"
    CREDENTIALS = "telling requests with credentials from those without"
    GATEWAY = "policies of the gateway"  # no engine but the Python proxy
    MARKS = "a write that says whose move it is of"
    PLACEHOLDERS = "a placeholder"
    PATHS = "telling apart the paths that can be read in more than one way"


@dataclass(frozen=True, kw_only=True)
class Way:
    """Where one kind of a pattern's requests goes: to "upstream", or for the reasons in "why" to the companion."""

    upstream: str
    direct: bool = True
    """False: all go to the companion. Else those that neither of the next two sends there go to "upstream"."""
    from_bucket: int = 0
    """Clients in a lower bucket go to the companion, and where this is not 0 also those without a key."""
    anonymous: bool = False
    """Requests with a Cookie or Authorization field go to the companion."""
    move: str = ""
    """What a direct request carries as Strangler-Move."""
    why: tuple[Feature, ...] = ()

    def goes(self, client_key: str | None, credentials: bool) -> str:
        """The upstream or COMPANION. "client_key" is None for a client that has to be given one."""
        if not self.direct or (self.anonymous and credentials):
            return COMPANION
        if self.from_bucket and (client_key is None or bucket(client_key) < self.from_bucket):
            return COMPANION
        return self.upstream


@dataclass(frozen=True, kw_only=True)
class Route:
    """One pattern of the table."""

    pattern: str
    move: str
    """Empty where only policies of the gateway name the pattern."""
    reads: Way
    writes: Way

    @property
    def shape(self) -> tuple[str, ...]:
        """The segments, "<>" for a placeholder."""
        return shape(self.pattern)

    def matches(self, path: list[str]) -> bool:
        """Whether a path of these segments is under the pattern."""
        mine = self.shape
        return len(mine) <= len(path) and all(part in ("<>", sent) for part, sent in zip(mine, path, strict=False))

    def __str__(self) -> str:
        return f'the route "{self.pattern}"' + (f' of move "{self.move}"' if self.move else "")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A table as an engine carries it. The first of "routes" that matches a path is the one that holds for it."""

    routes: tuple[Route, ...]
    default: Way
    ambiguous: Way
    """Where paths go that can be read in more than one way, if the engine knows them."""
    paths: bool
    """Whether it does, and otherwise compares paths decoded; else ODD paths go to the companion, all of them."""

    @property
    def needs(self) -> Iterator[tuple[str, Feature]]:
        """What is left to a companion: a route, and what it asks for that the engine does not do."""
        for route in self.routes:
            for feature in (*route.reads.why, *route.writes.why):
                yield str(route), feature
        for feature in (*self.default.why, *self.ambiguous.why):
            yield "any other path", feature
        if not self.paths:
            yield "any path", Feature.PATHS

    def goes(self, method: str, path: str, client_key: str | None, *, credentials: bool) -> str:
        """The name of an upstream, or COMPANION: what any engine does that carries this."""
        if (parts := segments(path)) is None and self.paths:
            return self.ambiguous.goes(client_key, credentials)
        if not self.paths:
            raw = path.partition("?")[0].partition("#")[0]
            if _ODD.search(raw):
                return COMPANION
            parts = raw.strip("/").split("/")
        route = next((each for each in self.routes if each.matches(parts or [])), None)
        if route is None:
            return self.default.goes(client_key, credentials)
        return (route.reads if method.upper() in SAFE_METHODS else route.writes).goes(client_key, credentials)


def settle(table: RouteTable, *, engine: str, can: frozenset[Feature], companion: bool) -> Settled:
    """What an engine that does "can" by itself carries of the table.

    Raises NotCarried with one sentence naming route and feature where a companion is needed and there is none.
    """
    policies = [(shape(policy.path), policy) for policy in table.gateway.policies if any(policy.features())]
    routes = {
        shape(pattern): _route(table, move, pattern, can, policies) for move in table.moves for pattern in move.routes
    }
    left = _way(table, table.default, can, {Feature.GATEWAY})
    for at, policy in policies:
        if at and at not in routes:
            routes[at] = Route(pattern=policy.path, move="", reads=left, writes=left)
    settled = Settled(
        routes=tuple(sorted(routes.values(), key=_specific)),
        default=left if any(not at for at, _ in policies) else _way(table, table.default, can),
        # Another reading of the path would be another policy.
        ambiguous=left if policies else _way(table, table.default, can),
        paths=Feature.PATHS in can or not (table.moves or policies),
    )
    if not companion and (missing := next(settled.needs, None)) is not None:
        raise NotCarried(
            f"{engine} does not do by itself what {missing[0]} asks for ({missing[1].value}); "
            "give it a companion, a Python proxy"
        )
    return settled


def _route(
    table: RouteTable,
    move: MoveRoutes,
    pattern: str,
    can: frozenset[Feature],
    policies: Sequence[tuple[tuple[str, ...], Policy]],
) -> Route:
    reads, writes, mine = set[Feature](), set[Feature](), shape(pattern)
    for at, policy in policies:
        if _meet(mine, at):
            methods = set(policy.methods)
            reads |= {Feature.GATEWAY} if not methods or methods & SAFE_METHODS else set()
            writes |= {Feature.GATEWAY} if methods - SAFE_METHODS or not methods else set()
    if "<" in pattern:
        reads.add(Feature.PLACEHOLDERS)
        writes.add(Feature.PLACEHOLDERS)
    writes.add(Feature.MARKS)
    if not move.final:
        writes.add(Feature.TRANSITION)
    from_bucket = 0
    if not move.only_routes or pattern in move.only_routes:
        from_bucket = _from_bucket(move, can)
        if move.shadow:
            reads.add(Feature.SHADOW)
        if move.early or (move.weight and not from_bucket):
            reads.add(Feature.CANARY)
    return Route(
        pattern=pattern,
        move=move.move,
        reads=_way(table, move.owner, can, reads, from_bucket=from_bucket),
        writes=_way(table, move.owner, can, writes, move=move.move),
    )


def _from_bucket(move: MoveRoutes, can: frozenset[Feature]) -> int:
    """A canary's cohorts are the lowest buckets; the reads of all others are the owner's, and nobody counts them."""
    return 2 * move.weight if Feature.BUCKETS in can and move.key == CLIENT and 2 * move.weight < BUCKETS else 0


def _way(
    table: RouteTable,
    upstream: str,
    can: frozenset[Feature],
    asked: Set[Feature] = frozenset(),
    *,
    from_bucket: int = 0,
    move: str = "",
) -> Way:
    """The way of requests that ask for all of "asked"."""
    lacking = asked - can
    why = [*lacking, Feature.CANARY] if from_bucket else [*lacking]
    anonymous = table.upstream(upstream).identity and Feature.IDENTITY not in can
    if anonymous:
        why.append(Feature.IDENTITY)
        if Feature.CREDENTIALS not in can:
            lacking = {*lacking, Feature.IDENTITY}
    return Way(
        upstream=upstream,
        direct=not lacking,
        from_bucket=0 if lacking else from_bucket,
        anonymous=anonymous and not lacking,
        move=move,
        why=tuple(sorted(why, key=lambda feature: feature.name)),
    )


def _meet(route: tuple[str, ...], policy: tuple[str, ...]) -> bool:
    """Whether a policy can hold for a path for which the route holds, as the most specific one."""
    if policy[: len(route)] == route and policy != route:
        return False  # the policy's own pattern is the more specific one
    return all(one == other or "<>" in (one, other) for one, other in zip(route, policy, strict=False))


def _specific(route: Route) -> tuple[int, ...]:
    """Literal segments before placeholders, longer patterns before shorter: the first that matches is decide()'s."""
    return (*(1 if part == "<>" else 0 for part in route.shape), 2)
