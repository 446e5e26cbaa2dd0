"""The route table as entries of one HAProxy map, and back. Pure.

The way of a path is the value at the longest key that it begins with ("/api/reviews/", the segment's end included), or
"lua" where a placeholder may match. haproxy.lua looks those up, and paths that can be read in more than one way, in the
tree of patterns, whose nodes are here too ("@/api/products/<>/reviews", "-" where no pattern ends). "@table.0" and so
on hold the table itself. All is in one map because one map is what HAProxy replaces in one step.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Set
from itertools import count

from strangler_proxy.routes import RouteTable

from strangler.rollout.engines.compiling import Feature, Settled, Way, settle

CAN = frozenset({Feature.BUCKETS, Feature.CREDENTIALS, Feature.MARKS, Feature.PLACEHOLDERS, Feature.PATHS})
AT, HOLD, HELD = "@at", "@hold", "@held."
"""Which table it is, that writes of some move are held, and of which: said beside the table."""
COMPANION_BACKEND = "companion"
TO_COMPANION = f"c|||0||{COMPANION_BACKEND}"
"""The way of what is left to the Python proxy."""
_TABLE = "@table."
_PIECE = 3_000
_LUA = "lua"

Entries = dict[str, str]
Shape = tuple[str, ...]
Addresses = Mapping[str, tuple[str, int]]
"""Of the upstreams, by their names."""


def settled(table: RouteTable, *, name: str, companion: bool) -> Settled:
    """What HAProxy carries of the table by itself. Raises NotCarried."""
    return settle(table, engine=name, can=CAN, companion=companion)


def entries(table: RouteTable, carried: Settled, addresses: Addresses, own: Collection[str] = ()) -> Entries:
    """What the map holds for a table; "own" are the upstreams that have a backend of the operator's."""

    def line(reads: Way, writes: Way, *, of_move: bool) -> str:
        return ";".join(_way(way, addresses, own, of_move=of_move) for way in (reads, writes))

    default = line(carried.default, carried.default, of_move=False)
    lines = {route.shape: line(route.reads, route.writes, of_move=bool(route.move)) for route in carried.routes}
    nodes = {shape[:depth] for shape in lines for depth in range(1, len(shape) + 1)}
    found: Entries = {f"@/{'/'.join(node)}": lines.get(node, "-") for node in sorted(nodes)}
    found["@default"] = default
    found["@ambiguous"] = line(carried.ambiguous, carried.ambiguous, of_move=False)
    for node in [(), *sorted(node for node in nodes if "<>" not in node)]:
        key = f"/{''.join(f'{part}/' for part in node)}"
        found[key] = ends = _ends(node, nodes, lines, default)
        if (*node, "<>") in nodes:
            found[key] = _LUA
            found[f"{key}?"] = ends  # where the path does
    return found | _pieces(table, addresses, own)


def read(found: Mapping[str, str]) -> tuple[RouteTable, Addresses, Collection[str]]:
    """What the map says that it was made of: see entries(). Raises ValueError where it says nothing like that."""
    text = ""
    for number in count():
        if (piece := found.get(f"{_TABLE}{number}")) is None:
            break
        text += piece
    said = json.loads(base64.b64decode(text, validate=True))
    addresses = {name: (host, port) for name, (host, port) in said["addresses"].items()}
    return RouteTable.from_json(said["table"]), addresses, said["own"]


def _ends(node: Shape, nodes: Set[Shape], lines: Mapping[Shape, str], default: str) -> str:
    """The way of a path that is under a node but under no node below it, or _LUA where a placeholder may match it."""
    while node:
        if node in lines:
            return lines[node]
        node = node[:-1]
        if (*node, "<>") in nodes:
            return _LUA
    return default


def _way(way: Way, addresses: Addresses, own: Collection[str], *, of_move: bool) -> str:
    """kind|address|port|lowest bucket that does not go to the companion|Strangler-Move|a backend of its own

    A kind is "c", the companion, or what else is to be done: "s" looks at the bucket, "w" tells the move, "k" gives the
    client a key, "d" nothing; behind it an "a" where those with credentials go to the companion.
    """
    if not way.direct:
        return TO_COMPANION
    host, port = addresses[way.upstream]
    kind = "s" if way.from_bucket else "w" if way.move else "k" if of_move else "d"
    backend = f"to_{way.upstream}" if way.upstream in own else ""
    return f"{kind}{'a' if way.anonymous else ''}|{host}|{port}|{way.from_bucket}|{way.move}|{backend}"


def _pieces(table: RouteTable, addresses: Addresses, own: Collection[str]) -> Entries:
    said = {"table": table.to_json(), "addresses": dict(addresses), "own": sorted(own)}
    text = base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()
    return {f"{_TABLE}{at // _PIECE}": text[at : at + _PIECE] for at in range(0, len(text), _PIECE)}
