"""Routes as files for a gateway that the toolkit does not tell itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from strangler_proxy.routes import RouteTable

from strangler.rollout.engines.addresses import resolved
from strangler.rollout.exports.alb import alb
from strangler.rollout.exports.api_gateway import openapi, web_acl
from strangler.rollout.exports.nginx import nginx

KINDS = ("nginx", "alb", "apigateway")


def exported(kind: str, table: RouteTable, *, listen: str, companions: Sequence[tuple[str, int]]) -> Mapping[str, str]:
    """Texts by the names of their files. Raises EngineError, of what the gateway cannot do NotCarried."""
    if kind == "nginx":
        return {"routes.conf": nginx(table, listen=listen, companions=companions)}
    if kind == "alb":
        template = alb(table, addresses=resolved(table.upstreams, "an ALB"), companions=companions)
        return {"template.json": json.dumps(template, indent=1)}
    companion = next((f"http://{host}:{port}" for host, port in companions), "")
    made = {"openapi.json": openapi(table, companion=companion), "web-acl.json": web_acl("routes")}
    return {name: json.dumps(document, indent=1) for name, document in made.items()}
