"""A route table as rules of a listener of an AWS Application Load Balancer: a CloudFormation template. Pure.

A rule compares a path as it was sent and cannot change a header, so what is odd, each placeholder's paths, and all
writes of moves go to a Python proxy. A rule's pattern may take more paths than the table's only where it leads there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from strangler_proxy.routes import SAFE_METHODS, RouteTable

from strangler.rollout.engines.base import NotCarried
from strangler.rollout.engines.compiling import INNER, RESERVED, Feature, Route, Settled, Way, settle

CAN = frozenset({Feature.CREDENTIALS})
MOST_RULES = 100
"""Of one load balancer; AWS raises it on request."""
LONGEST_PATH = 128
Address = tuple[str, int]

_Json = dict[str, Any]
_COMPANION = "companion"
# Like compiling.ODD, in pieces: at most three strings make a condition, of at most 128 characters each.
_ODD = (
    r"//|/(\.|%2[eE]){1,2}(/|$)|\\|%5[cC]|%2[fF]|%00",
    r"%(2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])",
)


def alb(table: RouteTable, *, addresses: Mapping[str, Address], companions: Sequence[Address] = ()) -> _Json:
    """The template; its parameters are the ARN of the listener and the VPC.

    "addresses" are those of the upstreams, "companions" those at which Python proxies listen for it. Raises NotCarried.
    """
    settled = settle(table, engine="an ALB", can=CAN, companion=bool(companions))
    groups = {f"to {name}": [address] for name, address in addresses.items()}
    if companions:
        groups[_COMPANION] = list(companions)
    names = {name: f"Group{number}" for number, name in enumerate(groups)}
    rules = list(_rules(settled))
    if len(rules) > MOST_RULES:
        raise NotCarried(
            f"an ALB takes {MOST_RULES} rules, and the {len(settled.routes)} routes of the table need {len(rules)}; "
            "take another engine, or send all through the Python proxy"
        )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Routes of django-strangler",
        "Parameters": {"Listener": {"Type": "String"}, "Vpc": {"Type": "String"}},
        "Resources": {
            **{names[name]: _group(found) for name, found in groups.items()},
            **{
                f"Rule{number}": _rule(number, conditions, _action(to, names))
                for number, (conditions, to) in enumerate(rules, start=1)
            },
        },
    }


def _rules(settled: Settled) -> Iterator[tuple[list[_Json], str]]:
    """(its conditions, where to: "to" an upstream, the companion, or "/" and a status) of each rule, in order."""
    yield [_path(*(f"{prefix}*" for prefix in RESERVED))], "/404"
    # Nobody but a proxy says these, and none can be taken out here.
    for name in INNER:
        yield [_field(name)], "/400"
    if not settled.paths:
        odd = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": list(_ODD)}}
        yield [odd], _COMPANION
    for route in settled.routes:
        yield from _of_way(_under(route), route.reads, methods=sorted(SAFE_METHODS))
        yield from _of_way(_under(route), route.writes)
    yield from _of_way(_path("*"), settled.default)


def _of_way(path: _Json, way: Way, methods: Sequence[str] = ()) -> Iterator[tuple[list[_Json], str]]:
    """A way's rules; without "methods" they are for what no rule before took."""
    kind = [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(methods)}}] if methods else []
    if not way.direct:
        if not methods:
            yield [path], _COMPANION
        return
    if way.anonymous:
        yield from (([path, _field(name)], _COMPANION) for name in ("Cookie", "Authorization"))
    yield [path, *kind], f"to {way.upstream}"


def _under(route: Route) -> _Json:
    """A "*" takes slashes too: more than one segment, and all such paths go to the companion."""
    path = "/" + "/".join("*" if part == "<>" else part for part in route.shape)
    if len(path) > LONGEST_PATH - 2:
        raise NotCarried(f"an ALB's patterns have at most {LONGEST_PATH} characters, and {route} is longer")
    return _path(path, f"{path}/*")


def _path(*values: str) -> _Json:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def _field(name: str) -> _Json:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": ["*"]}}


def _rule(number: int, conditions: list[_Json], action: _Json) -> _Json:
    properties = {"ListenerArn": {"Ref": "Listener"}, "Priority": number, "Conditions": conditions, "Actions": [action]}
    return {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": properties}


def _action(to: str, groups: Mapping[str, str]) -> _Json:
    if to.startswith("/"):
        fixed = {"StatusCode": to[1:], "ContentType": "application/json", "MessageBody": '{"detail": "Not found."}'}
        return {"Type": "fixed-response", "FixedResponseConfig": fixed}
    return {"Type": "forward", "TargetGroupArn": {"Ref": groups[to]}}


def _group(addresses: Sequence[Address]) -> _Json:
    return {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {
            "Protocol": "HTTP",
            "Port": addresses[0][1],
            "VpcId": {"Ref": "Vpc"},
            "TargetType": "ip",
            "Targets": [{"Id": host, "Port": port} for host, port in addresses],
            # Whoever answers lives, also with a redirect or 404.
            "Matcher": {"HttpCode": "200-499"},
        },
    }
