"""A route table as configuration of nginx, to be included in its http block. Pure.

Maps find the pattern of a path, and then where its request goes; what is not settled goes to a Python proxy. Another
table takes a reload, and a reload under load loses requests: while moves are under way take another engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from strangler_proxy.routes import SAFE_METHODS, RouteTable

from strangler.rollout.engines.compiling import INNER, RESERVED, Feature, Route, Settled, Way, settle

CAN = frozenset({Feature.CREDENTIALS, Feature.MARKS, Feature.PATHS, Feature.PLACEHOLDERS})
Address = tuple[str, int]

_BACKSLASH = "\\"
_TOGETHER = 200
"""Patterns in one regular expression: PCRE takes no large ones."""
_COOKIE = "strangler_client=$strangler_new; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
_AMBIGUOUS = r"^[^?#]*(?://|/(?:\.|%2e){1,2}(?:[/?#]|$)|\\|%5c|%2f|%00)"
_SERVER = """\
server {{
    listen {listen};
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_redirect off;
    proxy_pass_header Server;
    proxy_pass_header Date;
    proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;
{hidden}
{fields}
    add_header Via $strangler_answered always;
    add_header Set-Cookie $strangler_cookie always;
    location / {{
        if ($strangler_route = reserved) {{ return 404; }}
        proxy_pass http://$strangler_to;
    }}
}}
"""
_FIELDS = {
    "Host": "$http_host",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$http_host",
    "Via": "$strangler_via",
    "traceparent": "$strangler_trace",
    "Upgrade": "$http_upgrade",
    "Connection": "$strangler_connection",
    **dict.fromkeys(("Forwarded", "X-Real-IP", "Keep-Alive", "Proxy-Connection", "TE", "Trailer"), '""'),
    **dict.fromkeys((f"X-Forwarded-{name}" for name in ("Port", "Prefix", "Server", "Ssl", "User", "Scheme")), '""'),
    **dict.fromkeys(INNER, '""'),
    "Strangler-Move": "$strangler_move",
}


_FIXED = """\
map $http_upgrade $strangler_connection {
    default upgrade;
    "" "";
}
map $http_via $strangler_passed {
    default "$http_via, 1.1 strangler";
    "" "1.1 strangler";
}
map $strangler_to $strangler_via {
    default $strangler_passed;
    companion $http_via;
}
map $strangler_to $strangler_answered {
    default "1.1 strangler";
    companion "";
}
map $request_id $strangler_span {
    default "";
    "~^(?<strangler_half>.{16})" $strangler_half;
}
map $http_traceparent $strangler_trace {
    default "00-$request_id-$strangler_span-01";
    "~^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$" $http_traceparent;
}
map $http_cookie $strangler_keyed {
    default 0;
    "~(?:^|;)\\s*strangler_client=[A-Za-z0-9_-]{22}\\s*(?:;|$)" 1;
}
map $request_id $strangler_new {
    default "";
    "~^(?<strangler_key>.{22})" $strangler_key;
}
"""


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Patterns that go the same ways, of which no two match the same path."""

    name: str
    routes: tuple[Route, ...]

    @property
    def ways(self) -> dict[str, Way]:
        return {"reads": self.routes[0].reads, "writes": self.routes[0].writes}


def nginx(table: RouteTable, *, listen: str, companions: Sequence[Address] = ()) -> str:
    """The configuration. "companions" is where Python proxies listen for it. Raises NotCarried."""
    settled = settle(table, engine="nginx", can=CAN, companion=bool(companions))
    upstreams = [(f"to_{upstream.name}", [upstream.address]) for upstream in table.upstreams]
    if companions:
        upstreams.append(("companion", list(companions)))
    fields = (f"    proxy_set_header {name} {value};" for name, value in _FIELDS.items())
    hidden = (f"    proxy_hide_header {name};" for name in INNER)
    lines = [
        *(line for name, addresses in upstreams for line in _upstream(name, addresses)),
        *_maps(settled),
        _FIXED,
        _SERVER.format(listen=listen, fields="\n".join(fields), hidden="\n".join(hidden)),
    ]
    return "\n".join(lines)


def _upstream(name: str, addresses: Sequence[Address]) -> Iterator[str]:
    yield f"upstream {name} {{"
    yield from (f"    server {f'[{host}]' if ':' in host else host}:{port} max_fails=0;" for host, port in addresses)
    yield from ("    keepalive 32;", "}")


def _maps(settled: Settled) -> Iterator[str]:
    groups = list(_groups(settled.routes))
    ways = {f"{kind}:{group.name}": way for group in groups for kind, way in group.ways.items()}
    for name, way in (("default", settled.default), ("ambiguous", settled.ambiguous)):
        ways |= {f"reads:{name}": way, f"writes:{name}": way}
    yield from _map("$request_uri", "ambiguous", {f"~*{_AMBIGUOUS}": "1"}, "0")
    yield from _map("$strangler_ambiguous$uri", "route", _patterns(groups), "default")
    yield from _map("$request_method", "kind", dict.fromkeys(sorted(SAFE_METHODS), "reads"), "writes")
    yield from _map("$http_cookie$http_authorization", "who", {"": "anonymous"}, "known")
    yield from _map("$strangler_kind:$strangler_route:$strangler_who", "to", _targets(ways), "companion")
    # To the companion nothing is said of the move: it says so itself, of whom it decides on.
    moves = {f"{at}:to_{way.upstream}": way.move for at, way in ways.items() if way.move}
    yield from _map("$strangler_kind:$strangler_route:$strangler_to", "move", moves, '""')
    new = {f"~^{group.name}:0::to_": _COOKIE for group in groups if group.routes[0].move}
    yield from _map("$strangler_route:$strangler_keyed:$http_authorization:$strangler_to", "cookie", new, '""')


def _map(source: str, name: str, entries: Mapping[str, str], default: str) -> Iterator[str]:
    yield f'map "{source}" $strangler_{name} {{'
    yield f"    default {default};"
    for key, value in entries.items():
        yield f'    "{key.replace(_BACKSLASH, _BACKSLASH * 2)}" "{value}";'
    yield "}"


def _groups(routes: Sequence[Route]) -> Iterator[_Group]:
    """In the order of the routes: of those that match a path the first holds."""
    number = count()
    for _, alike in groupby(routes, key=lambda route: [part == "<>" for part in route.shape]):
        found: dict[tuple[Way, Way, bool], list[Route]] = {}
        for route in alike:
            found.setdefault((route.reads, route.writes, bool(route.move)), []).append(route)
        yield from (_Group(name=f"route{next(number)}", routes=tuple(group)) for group in found.values())


def _patterns(groups: Sequence[_Group]) -> dict[str, str]:
    """What finds a path's group: of regular expressions nginx takes the first that matches."""
    # Of an ambiguous path nginx has $uri as a server could read it.
    found = {f"~^[01]{re.escape(prefix)}": "reserved" for prefix in RESERVED}
    found["~^1"] = "ambiguous"
    for group in groups:
        for begin in range(0, len(group.routes), _TOGETHER):
            shapes = (
                "/".join("[^/]+" if part == "<>" else re.escape(part) for part in route.shape)
                for route in group.routes[begin : begin + _TOGETHER]
            )
            found[f"~^0/(?:{'|'.join(shapes)})(?:/|$)"] = group.name
    return found


def _targets(ways: Mapping[str, Way]) -> dict[str, str]:
    return {
        f"{at}:{who}": f"to_{way.upstream}"
        for at, way in ways.items()
        if way.direct
        for who in (("anonymous",) if way.anonymous else ("anonymous", "known"))
    }
