"""What Envoy is given for a table: its routes (RDS) and clusters (CDS), as objects of JSON. Pure.

Patterns that go the same way are one regular expression, which RE2 matches in the time of the path, not of the
patterns; so ten thousand routes cost a request what ten do.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from strangler_proxy.routes import BUCKETS, RouteTable

from strangler.rollout.engines.compiling import ODD, RESERVED, Feature, Route, Settled, Way, settle

ROUTES = "strangler"
"""The name of the route configuration, and of its metadata, where the table stands."""
BUCKET = "strangler.bucket"
"""The filter that finds a client's bucket; it runs on the routes alone that turn it on."""
HELD = "strangler.held"
"""A value of the runtime: how many of a hundred writes go to the companion, wherever they would go else."""
COMPANION_CLUSTER = "companion"
CAN = frozenset({Feature.BUCKETS, Feature.CREDENTIALS, Feature.MARKS, Feature.PLACEHOLDERS})

_Json = dict[str, Any]
_READS = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS"}}}
_WRITES = {**_READS, "invert_match": True}
_ANONYMOUS = [{"name": name, "present_match": False} for name in ("cookie", "authorization")]


def _some_digit(count: int) -> str:
    """Hexadecimal digits that are not all nought."""
    found = (f"0{{{before}}}[1-9a-f][0-9a-f]{{{count - before - 1}}}" for before in range(count))
    return f"(?:{'|'.join(found)})"


_ENABLED = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
_UNBOUNDED = 1_000_000
_IDLE = "60s"
"""How long a connection to a server is kept without use: less than the Python proxy's 75 s, which else may close one
just when a request is on its way."""
_VIA = "1.1 strangler"
_COOKIE = "strangler_client={key}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"

_NEW_CLIENT = [
    {"name": "authorization", "present_match": False},
    {
        "name": "cookie",
        "string_match": {"safe_regex": {"regex": r"(?:.*[;,])?\s*strangler_client=[A-Za-z0-9_-]{22}\s*(?:[;,].*)?"}},
        "invert_match": True,
        "treat_missing_header_as_empty": True,
    },
]
_BAD_TRACE = [
    {"name": "traceparent", "present_match": True},
    {
        "name": "traceparent",
        "string_match": {"safe_regex": {"regex": f"00-{_some_digit(32)}-{_some_digit(16)}-[0-9a-f]{{2}}"}},
        "invert_match": True,
    },
]
# Nobody may ask a host that has a user, a path, or another host beside it.
_BAD_HOST = {
    "name": ":authority",
    "string_match": {"safe_regex": {"regex": r"[A-Za-z0-9._~%:\[\]-]*"}},
    "invert_match": True,
}
_NOT_FOUND = {
    "direct_response": {"status": 404, "body": {"inline_string": '{"detail": "Not found."}'}},
    "response_headers_to_add": [{"header": {"key": "content-type", "value": "application/json"}}],
}


def settled(table: RouteTable, *, name: str, companion: bool) -> Settled:
    """What Envoy carries of a table. Raises NotCarried."""
    return settle(table, engine=name, can=CAN, companion=companion)


def routes(table: RouteTable, carried: Settled, *, salt: str, at: str) -> _Json:
    """The route configuration. "salt" are 29 hexadecimal digits of this Envoy alone, "at" is of this configuration."""
    metadata = {"table": json.dumps(table.to_json()), "at": at}
    return {
        "name": ROUTES,
        "virtual_hosts": [
            {
                "name": ROUTES,
                "domains": ["*"],
                "metadata": {"filter_metadata": {ROUTES: metadata}},
                "routes": list(_routes(table, carried, salt)),
            }
        ],
    }


def clusters(table: RouteTable) -> dict[str, _Json]:
    """The clusters of a table's upstreams, by their names."""
    names = ((_name(upstream.name, upstream.url), upstream.address) for upstream in table.upstreams)
    return {name: cluster(name, [where]) for name, where in names}


def cluster(name: str, addresses: Sequence[tuple[str, int]]) -> _Json:
    """A cluster of servers, asked in turn."""
    bounds = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), _UNBOUNDED)
    endpoints = [{"endpoint": {"address": address(*each)}} for each in addresses]
    return {
        "name": name,
        "type": "STATIC" if all(_is_address(host) for host, _ in addresses) else "STRICT_DNS",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [bounds]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": _IDLE},
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
            }
        },
    }


def address(host: str, port: int) -> _Json:
    return {"socket_address": {"address": host, "port_value": port}}


def table_in(configuration: _Json) -> RouteTable:
    """The table that a route configuration was made from. Raises ValueError."""
    try:
        (host,) = configuration["virtual_hosts"]
        return RouteTable.from_json(host["metadata"]["filter_metadata"][ROUTES]["table"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the route configuration is not the toolkit's ({error})") from error


def _routes(table: RouteTable, carried: Settled, salt: str) -> Iterator[_Json]:
    yield {"match": {"prefix": "", "headers": [_BAD_HOST]}, "direct_response": {"status": 403}}
    for prefix in RESERVED:
        yield {"match": {"prefix": prefix}, **_NOT_FOUND}
    if not carried.paths:
        yield _to_companion({"safe_regex": {"regex": f".*(?:{ODD}).*"}})
    if any(carried.needs):
        held = {"default_value": {"numerator": 0}, "runtime_key": HELD}
        yield _to_companion({"prefix": "", "headers": [_WRITES], "runtime_fraction": held})
    # Of one sequence of literals and placeholders no two patterns match the same path, so these may stand together.
    for _, alike in groupby(carried.routes, key=lambda route: [part == "<>" for part in route.shape]):
        ways: dict[tuple[Way, Way, bool], list[Route]] = {}
        for route in alike:
            ways.setdefault((route.reads, route.writes, bool(route.move)), []).append(route)
        for (reads, writes, of_move), found in ways.items():
            path = {"safe_regex": {"regex": _pattern(found)}}
            yield from _group(table, path, reads, writes, salt, of_move=of_move)
    yield from _group(table, {"prefix": ""}, carried.default, carried.default, salt)


def _group(
    table: RouteTable, path: _Json, reads: Way, writes: Way, salt: str, *, of_move: bool = False
) -> Iterator[_Json]:
    """The routes of some patterns, those with conditions before those without."""
    for way, kind in ((reads, _READS), (writes, _WRITES)):
        if way.direct:
            yield from _direct(table, {**path, "headers": [kind]}, way, salt, of_move=of_move)
        if way.from_bucket:
            yield {**_to_companion({**path, "headers": [kind]}), "typed_per_filter_config": {BUCKET: _ENABLED}}
    if reads.why or writes.why:
        yield _to_companion(path)


def _direct(table: RouteTable, match: _Json, way: Way, salt: str, *, of_move: bool) -> Iterator[_Json]:
    """A way's routes: who is new and has no key is given one, and so is a request without a trace."""
    if way.anonymous:
        match["headers"] += _ANONYMOUS
    if way.from_bucket:
        known = {"double_match": {"range": {"start": way.from_bucket, "end": BUCKETS}}}
        match["dynamic_metadata"] = [{"filter": ROUTES, "path": [{"key": "bucket"}], "value": known}]
    route = {
        "cluster": _name(way.upstream, table.upstream(way.upstream).url),
        "timeout": "0s",
        "retry_policy": RETRY_READS if _READS in match["headers"] else _RETRY,
    }
    said = [_field("via", _VIA), *([_field("strangler-move", way.move)] if way.move else ())]
    # Envoy knows no random numbers, but nanoseconds.
    key = f"{salt[:3]}%START_TIME(%s%9f)%"
    trace = f"00-{salt[:13]}%START_TIME(%s%9f)%-{salt[13:29]}-01"
    for new, cookies in ((_NEW_CLIENT, [_field("set-cookie", _COOKIE.format(key=key))]), ([], [])):
        if new and not of_move:
            continue
        for bad, action in ((_BAD_TRACE, "OVERWRITE_IF_EXISTS_OR_ADD"), ([], "ADD_IF_ABSENT")):
            yield {
                "match": {**match, "headers": [*bad, *new, *match["headers"]]},
                "route": route,
                "request_headers_to_add": [*said, {**_field("traceparent", trace), "append_action": action}],
                "response_headers_to_add": [_field("via", _VIA), *cookies],
            }


def _field(name: str, value: str) -> _Json:
    return {"header": {"key": name, "value": value}}


# A connection that the server closed while it was idle: nothing of the request was answered, and for a write nothing of
# it was sent.
RETRY_READS = {"retry_on": "connect-failure,reset", "num_retries": 1}
_RETRY = {"retry_on": "connect-failure,reset-before-request", "num_retries": 1}


def _to_companion(match: _Json) -> _Json:
    return {"match": match, "route": {"cluster": COMPANION_CLUSTER, "timeout": "0s", "retry_policy": _RETRY}}


def _pattern(routes: list[Route]) -> str:
    shapes = sorted("/".join("[^/]+" if part == "<>" else re.escape(part) for part in route.shape) for route in routes)
    return f"/(?:{'|'.join(shapes)})(?:/.*)?"


def _name(upstream: str, url: str) -> str:
    """An upstream elsewhere is another cluster, so that no cluster is changed while requests use it."""
    return f"{upstream}@{urlsplit(url).netloc}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
