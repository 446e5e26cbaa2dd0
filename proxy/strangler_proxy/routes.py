"""Who answers a request: an immutable route table, and a pure decision over it.

Standard library only: the proxy and the toolkit share this module.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from strangler_proxy import clients
from strangler_proxy.gateway.policies import NO_GATEWAY, Gateway
from strangler_proxy.patterns import Patterns, segments, shape

BUCKETS = 10_000
"""Weights and buckets are hundredths of a percent."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Reads; everything else is a write, unknown methods included."""

CANDIDATE = "candidate"
CONTROL = "control"
EARLY = "early"

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_LISTS = ("routes", "ignore", "early", "only_routes", "only_methods")


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """A server behind the proxy. With "identity" its requests carry who the client is instead of a session."""

    name: str
    url: str
    identity: bool = False

    @cached_property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


@dataclass(frozen=True, kw_only=True)
class MoveRoutes:
    """The routes of one move: writes go to the owner, a share of the reads to the candidate."""

    move: str
    term: int
    n: int
    owner: str
    candidate: str
    weight: int  # share of the reads that goes to the candidate, 0 to 10000
    routes: tuple[str, ...]
    shadow: int = 0
    """Share of the owner's reads that are sent to the candidate as well, whose answers are only compared."""
    shadow_writes: int = 0
    """Share of the writes that are rehearsed at the candidate, as strangler_proxy.effects has it."""
    ignore: tuple[str, ...] = ()
    """Places at which answers may differ, as strangler_proxy.comparing names them."""
    key: str = clients.CLIENT
    """What a client's bucket is made of, as strangler_proxy.clients has it."""
    early: tuple[str, ...] = ()
    """Marks of requests whose reads the candidate answers whatever the weight is, as strangler_proxy.clients has it."""
    only_routes: tuple[str, ...] = ()
    """Of the routes, those whose reads the candidate may answer or shadow; none: all."""
    only_methods: tuple[str, ...] = ()
    """Of the reads' methods likewise."""
    final: bool = False
    """The owner owns for good: no write will have to wait for another one."""

    @property
    def version(self) -> tuple[int, int]:
        return self.term, self.n


_Route = tuple[MoveRoutes, str]
"""A move and its pattern that a path is under."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where a request goes, and why."""

    upstream: str
    move: str | None
    reason: str
    cohort: str = ""
    """CANDIDATE, CONTROL or EARLY for a read that is counted to judge the canary."""
    settled: bool = False
    """Nothing but the owner is asked for it, whatever the shares are."""

    def __str__(self) -> str:
        return f"{self.upstream} ({self.reason})"


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """All routes at one moment. Made by from_json or by its constructor; both raise ValueError on a bad table."""

    default: str
    upstreams: tuple[Upstream, ...]
    moves: tuple[MoveRoutes, ...] = ()
    gateway: Gateway = NO_GATEWAY
    _tree: Patterns[_Route] = field(init=False, repr=False, compare=False, hash=False)
    _upstreams: dict[str, Upstream] = field(init=False, repr=False, compare=False, hash=False)
    _moves: dict[str, MoveRoutes] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(
            self, "_tree", Patterns((pattern, (move, pattern)) for move in self.moves for pattern in move.routes)
        )
        object.__setattr__(self, "_upstreams", {upstream.name: upstream for upstream in _all(self)})
        object.__setattr__(self, "_moves", {move.move: move for move in self.moves})

    def upstream(self, name: str) -> Upstream:
        """One of the upstreams, or of the gateway's stages."""
        return self._upstreams[name]

    def knows(self, name: str) -> bool:
        """Whether upstream() has it."""
        return name in self._upstreams

    def move(self, name: str) -> MoveRoutes | None:
        return self._moves.get(name)

    def move_of(self, path: str) -> MoveRoutes | None:
        """The move whose most specific pattern the path is under, or None."""
        found = self.route_of(path)
        return None if found is None else found[0]

    def route_of(self, path: str) -> _Route | None:
        """The most specific pattern that the path is under, with its move, or None."""
        parts = segments(path)
        return None if parts is None else self._tree.find(parts)

    @cached_property
    def asks_for_staff(self) -> bool:
        """Whether it depends on who is of the staff where some reads go."""
        return any(clients.STAFF in move.early for move in self.moves)

    @property
    def versions(self) -> dict[str, tuple[int, int]]:
        return {move.move: move.version for move in self.moves}

    @classmethod
    def from_json(cls, given: str | bytes | Mapping[str, Any]) -> RouteTable:
        """A table from its JSON text or the object in it. Raises ValueError with one sentence."""
        try:
            data = given if isinstance(given, Mapping) else json.loads(given)
        except ValueError as error:
            raise ValueError(f"the route table is not JSON ({error})") from error
        try:
            return cls(
                default=data["default"],
                upstreams=tuple(
                    Upstream(name=name, url=upstream["url"], identity=bool(upstream.get("identity", False)))
                    for name, upstream in data["upstreams"].items()
                ),
                moves=tuple(
                    MoveRoutes(**{**move, **{name: tuple(move[name]) for name in _LISTS if name in move}})
                    for move in data.get("moves", ())
                ),
                gateway=Gateway.from_json(data.get("gateway", {})),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the route table has a part that is missing or of the wrong kind ({error})") from error

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        return {
            "default": self.default,
            "upstreams": {
                upstream.name: {"url": upstream.url, "identity": upstream.identity} for upstream in self.upstreams
            },
            "moves": [
                {
                    "move": move.move,
                    "term": move.term,
                    "n": move.n,
                    "owner": move.owner,
                    "candidate": move.candidate,
                    "weight": move.weight,
                    "routes": list(move.routes),
                    "shadow": move.shadow,
                    "shadow_writes": move.shadow_writes,
                    "ignore": list(move.ignore),
                    "key": move.key,
                    "early": list(move.early),
                    "only_routes": list(move.only_routes),
                    "only_methods": list(move.only_methods),
                    "final": move.final,
                }
                for move in self.moves
            ],
            **({"gateway": self.gateway.to_json()} if self.gateway != NO_GATEWAY else {}),
        }


def decide(
    table: RouteTable,
    method: str,
    path: str,
    client_key: str,
    behind: Callable[[str], bool] = lambda move: False,
    *,
    fields: clients.Fields = (),
    staff: Callable[[MoveRoutes], bool] = lambda move: False,
) -> Decision:
    """Where a request goes.

    "path" is the request's target as sent, with or without a query. A path that Django and this table could read
    differently (dot segments, empty segments, an encoded slash) goes to the default: the monolith knows all routes,
    and its fence refuses what is no longer its own. "behind" tells whether a move's candidate may lack a write of this
    client; it is asked for reads that a canary counts, and those stay with the owner then. "fields" are the request's
    header; "staff" tells whether the client is of the monolith's staff, and is asked where that decides.
    """
    found = table.route_of(path)
    if found is None:
        return Decision(upstream=table.default, move=None, reason="no route of a move")
    move, pattern = found
    if method.upper() not in SAFE_METHODS:
        return Decision(upstream=move.owner, move=move.move, reason=f"write to the owner of {move.move}")
    if not _shared(move, pattern, method):
        reason = f"read that only the owner of {move.move} answers"
        return Decision(upstream=move.owner, move=move.move, reason=reason, settled=True)
    cohort = _cohort(move, client_key, fields, staff)
    if cohort and behind(move.move):
        return Decision(upstream=move.owner, move=move.move, reason=f"read of {move.move} behind its client's write")
    if cohort in (CANDIDATE, EARLY):
        reason = (
            f"read of {move.move} in the canary" if cohort == CANDIDATE else f"read of {move.move} of an early client"
        )
        return Decision(upstream=move.candidate, move=move.move, reason=reason, cohort=cohort)
    return Decision(upstream=move.owner, move=move.move, reason=f"read from the owner of {move.move}", cohort=cohort)


def _shared(move: MoveRoutes, pattern: str, method: str) -> bool:
    """Whether others than the owner may be asked for reads of this route with this method."""
    return (not move.only_routes or pattern in move.only_routes) and (
        not move.only_methods or method.upper() in move.only_methods
    )


def _cohort(move: MoveRoutes, client_key: str, fields: clients.Fields, staff: Callable[[MoveRoutes], bool]) -> str:
    """The cohort of a read, or "" where it is the owner's as any other. Who has no key, or two, is in none."""
    if move.early and clients.comes_early(move.early, fields, lambda: staff(move)):
        return EARLY
    if not move.weight:
        return ""
    key = client_key if move.key == clients.CLIENT else clients.key_in(move.key, fields)
    number = BUCKETS if key is None else bucket(key)
    if number < move.weight:
        return CANDIDATE
    # The next buckets are of the same size, as far as there are so many: other clients, at the same time.
    return CONTROL if number < min(2 * move.weight, BUCKETS) else ""


def bucket(client_key: str) -> int:
    """The client's bucket, the same on every engine that knows CRC-32."""
    return zlib.crc32(client_key.encode("utf-8", "surrogateescape")) % BUCKETS


def older(current: RouteTable, offered: RouteTable) -> list[str]:
    """What would go back, as sentences: versions of moves or the gateway. A move that is left out is routed no more."""
    found = []
    ours, theirs = current.gateway.revision, offered.gateway.revision
    if theirs < ours:
        found.append(f"the gateway is at revision {ours} and was offered at {theirs}")
    versions = offered.versions
    for move in current.moves:
        version = versions.get(move.move)
        if version is not None and version < move.version:
            found.append(f'move "{move.move}" is at {move.version} and was offered at {version}')
        elif version == move.version and move.final and not offered._moves[move.move].final:
            found.append(f'move "{move.move}" is final and was offered as one that is not')
    return found


def _check(table: RouteTable) -> None:
    names = [upstream.name for upstream in table.upstreams]
    _check_twice("upstream", [upstream.name for upstream in _all(table)])
    for upstream in _all(table):
        _check_upstream(upstream)
    if table.default not in names:
        raise ValueError(f'the default upstream "{table.default}" is not among the upstreams ({", ".join(names)})')
    _check_twice("move", [move.move for move in table.moves])
    claimed: dict[tuple[str, ...], str] = {}
    for move in table.moves:
        _check_move(move, names)
        for pattern in move.routes:
            parts = shape(pattern)
            if not parts:
                raise ValueError(f'move "{move.move}" claims the route "/", which is the monolith\'s; name what moves')
            if parts in claimed:
                raise ValueError(
                    f'the route "{pattern}" of move "{move.move}" is claimed by move "{claimed[parts]}" already'
                )
            claimed[parts] = move.move


def _all(table: RouteTable) -> tuple[Upstream, ...]:
    stages = (Upstream(name=one.name, url=one.url, identity=one.identity) for one in table.gateway.stages)
    return (*table.upstreams, *stages)


def _check_upstream(upstream: Upstream) -> None:
    if not isinstance(upstream.name, str) or not _NAME.fullmatch(upstream.name):
        raise ValueError(f'"{upstream.name}" is no name for an upstream; use letters, digits, "_", "." and "-"')
    try:
        parts = urlsplit(upstream.url)
        usable = parts.scheme == "http" and parts.hostname and parts.port is not None and parts.path in ("", "/")
    except (ValueError, AttributeError, TypeError):
        usable = False
    if not usable:
        raise ValueError(f'the URL "{upstream.url}" of upstream "{upstream.name}" is not of the form http://host:port')


def _check_move(move: MoveRoutes, upstreams: list[str]) -> None:
    if not isinstance(move.move, str) or not _NAME.fullmatch(move.move):
        raise ValueError(f'"{move.move}" is no name for a move; use letters, digits, "_", "." and "-"')
    shares = ((move.shadow, "shadow"), (move.shadow_writes, "shadow_writes"))
    for number, what in ((move.term, "term"), (move.n, "n"), (move.weight, "weight"), *shares):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise ValueError(f'the {what} of move "{move.move}" is {number!r}; it must be a whole number from 0')
    for share, what in ((move.weight, "weight"), *shares):
        if share > BUCKETS:
            raise ValueError(f'the {what} of move "{move.move}" is {share}; it must be from 0 to {BUCKETS}')
    if not isinstance(move.final, bool):
        raise ValueError(f'move "{move.move}" is final: {move.final!r}; write true or false')
    if move.final and (move.weight or move.shadow or move.shadow_writes or move.early):
        raise ValueError(f'move "{move.move}" is final, and still sends requests to "{move.candidate}"')
    for side in (move.owner, move.candidate):
        if side not in upstreams:
            raise ValueError(f'move "{move.move}" names the upstream "{side}", which is not among the upstreams')
    if move.owner == move.candidate:
        raise ValueError(f'move "{move.move}" has "{move.owner}" on both sides')
    if not move.routes:
        raise ValueError(f'move "{move.move}" has no routes')
    check_shared(move.routes, move.only_routes, move.only_methods)
    clients.check_key(move.key)
    for mark in move.early:
        clients.check_mark(mark)


def check_shared(routes: Iterable[str], only_routes: Iterable[str], only_methods: Iterable[str]) -> None:
    """Raises ValueError where "only_routes" are none of the routes, or "only_methods" none of reads."""
    if strange := sorted(set(only_routes) - set(routes)):
        raise ValueError(f'"only_routes" names "{strange[0]}", which is none of the routes; name some of these')
    if strange := sorted(set(only_methods) - SAFE_METHODS):
        raise ValueError(
            f'"only_methods" names "{strange[0]}"; reads alone are shared: {", ".join(sorted(SAFE_METHODS))}'
        )


def _check_twice(what: str, names: list[str]) -> None:
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'the {what} "{twice[0]}" stands twice in the route table')
