"""A route table as an API of AWS API Gateway: OpenAPI 3 with AWS's extensions, and the web ACL that it needs. Pure.

API Gateway matches whole resources, and knows nothing of odd paths or of fields that only a proxy may say: the ACL
refuses such requests before it. Every node of the tree of patterns says itself where it leads, so that nothing depends
on how API Gateway would look for another match; where a placeholder could match, that is the Python proxy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from strangler_proxy.routes import SAFE_METHODS, RouteTable

from strangler.rollout.engines.compiling import ODD, RESERVED, Feature, Route, Settled, Way, settle

CAN = frozenset({Feature.MARKS})
_Json = dict[str, Any]


def openapi(table: RouteTable, *, companion: str = "") -> _Json:
    """The document to import. "companion" is the URL at which API Gateway reaches a Python proxy. Raises NotCarried."""
    settled = settle(table, engine="API Gateway", can=CAN, companion=bool(companion))
    urls = {upstream.name: upstream.url.rstrip("/") for upstream in table.upstreams}
    paths: dict[str, _Json] = {}
    for node in sorted(_nodes(settled)):
        reads, writes = _ways(settled, node)
        for path in ("/" + "/".join(node), "/".join(("", *node, "{proxy+}"))):
            paths[path] = _item(path, reads, writes, urls, companion.rstrip("/"))
    return {
        "openapi": "3.0.3",
        "info": {"title": "Routes", "version": "1", "description": "Made by django-strangler from its route table."},
        "paths": paths,
    }


def web_acl(name: str) -> _Json:
    """What AWS WAF is to refuse in front of the API's stage, as the input of its CreateWebACL."""
    refused: tuple[tuple[str, _Json, str, str], ...] = (
        ("odd-paths", {"UriPath": {}}, ODD, "NONE"),
        ("own-paths", {"UriPath": {}}, "|".join(f"^{re.escape(prefix)}" for prefix in RESERVED), "NONE"),
        (
            "fields-of-proxies",
            {"Headers": {"MatchPattern": {"All": {}}, "MatchScope": "KEY", "OversizeHandling": "MATCH"}},
            "^strangler[-_]",
            "LOWERCASE",
        ),
    )
    return {
        "Name": name,
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": _visible(name),
        "Rules": [
            {
                "Name": what,
                "Priority": number,
                "Action": {"Block": {}},
                "VisibilityConfig": _visible(what),
                "Statement": {
                    "RegexMatchStatement": {
                        "RegexString": expression,
                        "FieldToMatch": where,
                        "TextTransformations": [{"Priority": 0, "Type": transformation}],
                    }
                },
            }
            for number, (what, where, expression, transformation) in enumerate(refused)
        ],
    }


def _nodes(settled: Settled) -> set[tuple[str, ...]]:
    """The root, and all literal beginnings of patterns."""
    nodes: set[tuple[str, ...]] = {()}
    for route in settled.routes:
        shape = route.shape
        literal = shape[: shape.index("<>")] if "<>" in shape else shape
        nodes |= {literal[:length] for length in range(1, len(literal) + 1)}
    return nodes


def _ways(settled: Settled, node: tuple[str, ...]) -> tuple[Way, Way]:
    """Where reads and writes go of paths below a node and below none that is longer."""

    def may_match(route: Route) -> bool:
        return all(part in ("<>", literal) for part, literal in zip(route.shape, node, strict=False))

    if any("<>" in route.shape and may_match(route) for route in settled.routes):
        left = Way(upstream=settled.default.upstream, direct=False)
        return left, left
    route = next((route for route in settled.routes if route.matches(list(node))), None)
    return (settled.default, settled.default) if route is None else (route.reads, route.writes)


def _item(path: str, reads: Way, writes: Way, urls: Mapping[str, str], companion: str) -> _Json:
    item: _Json = {
        "x-amazon-apigateway-any-method": _operation(path, "ANY", writes, urls, companion),
    }
    if reads != writes:
        for method in sorted(SAFE_METHODS):
            item[method.lower()] = _operation(path, method, reads, urls, companion)
    return item


def _operation(path: str, method: str, way: Way, urls: Mapping[str, str], companion: str) -> _Json:
    base = urls[way.upstream] if way.direct and not way.anonymous else companion
    passed = {"integration.request.path.proxy": "method.request.path.proxy"} if "{proxy+}" in path else {}
    if way.direct and way.move:
        passed["integration.request.header.Strangler-Move"] = f"'{way.move}'"
    return {
        **_parameters(path),
        "responses": {"default": {"description": "As the server behind answers."}},
        "x-amazon-apigateway-integration": {
            "type": "http_proxy",
            "httpMethod": method,
            "uri": base + path.replace("{proxy+}", "{proxy}"),
            "passthroughBehavior": "when_no_match",
            "requestParameters": passed,
        },
    }


def _parameters(path: str) -> _Json:
    """Of the path "{proxy+}" is the parameter's name without the sign that it takes slashes."""
    if "{proxy+}" not in path:
        return {}
    return {"parameters": [{"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}]}


def _visible(name: str) -> _Json:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
