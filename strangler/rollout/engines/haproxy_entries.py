"""The route table as entries of one HAProxy map, and back. Pure.

The keys are the nodes of the tree of patterns ("/api/products/<>/reviews"); a value is "-" where no pattern ends, else
the ways of its reads and writes. What begins with "@" is no path: "@default" and "@ambiguous" are ways too, "@table.0"
and so on hold the table itself. All is in one map because one map is what HAProxy replaces in one step.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from itertools import count

from strangler_proxy.routes import RouteTable

from strangler.rollout.engines.compiling import COMPANION, Feature, Settled, Way, settle

CAN = frozenset({Feature.BUCKETS, Feature.CREDENTIALS, Feature.PLACEHOLDERS, Feature.PATHS})
AT, HOLD = "@at", "@hold"
"""Which table it is, and that writes of some move are held: said beside the table."""
_TABLE = "@table."
_PIECE = 3_000

Entries = dict[str, str]
Addresses = Mapping[str, tuple[str, int]]
"""Of the upstreams, by their names."""


def settled(table: RouteTable, *, name: str, companion: bool) -> Settled:
    """What HAProxy carries of the table by itself. Raises NotCarried."""
    return settle(table, engine=name, can=CAN, companion=companion)


def entries(table: RouteTable, carried: Settled, addresses: Addresses) -> Entries:
    """What the map holds for a table."""
    found: Entries = {}
    for route in carried.routes:
        key = ""
        for part in route.shape[:-1]:
            key = f"{key}/{part}"
            found.setdefault(key, "-")
        line = (_way(way, addresses, of_move=bool(route.move)) for way in (route.reads, route.writes))
        found[f"{key}/{route.shape[-1]}"] = ";".join(line)
    found["@default"] = _way(carried.default, addresses, of_move=False)
    found["@ambiguous"] = _way(carried.ambiguous, addresses, of_move=False)
    return found | _pieces(table, addresses)


def read(found: Mapping[str, str]) -> tuple[RouteTable, Addresses]:
    """The table that the map says it holds, and its upstreams' addresses. Raises ValueError where it says none."""
    keys = (f"{_TABLE}{number}" for number in count())
    text = ""
    for key in keys:
        if key not in found:
            break
        text += found[key]
    said = json.loads(base64.b64decode(text, validate=True))
    return RouteTable.from_json(said["table"]), {name: (host, port) for name, (host, port) in said["addresses"].items()}


def _way(way: Way, addresses: Addresses, *, of_move: bool) -> str:
    """upstream|address|port|lowest bucket that does not go to the companion|anonymous only|Strangler-Move|of a move"""
    mark = "m" if of_move else ""
    if not way.direct:
        return f"{COMPANION}|||0|0||{mark}"
    host, port = addresses[way.upstream]
    return f"{way.upstream}|{host}|{port}|{way.from_bucket}|{int(way.anonymous)}|{way.move}|{mark}"


def _pieces(table: RouteTable, addresses: Addresses) -> Entries:
    said = json.dumps({"table": table.to_json(), "addresses": dict(addresses)}, separators=(",", ":"))
    text = base64.b64encode(said.encode()).decode()
    return {f"{_TABLE}{at // _PIECE}": text[at : at + _PIECE] for at in range(0, len(text), _PIECE)}
