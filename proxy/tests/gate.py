"""Visits for the tests of single steps, without sockets."""

from __future__ import annotations

from strangler_proxy.answers import Answer
from strangler_proxy.gateway import Gateway
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream, decide
from strangler_proxy.steps.visit import Side, Visit

UPSTREAMS = (Upstream(name="monolith", url="http://127.0.0.1:1"), Upstream(name="reviews", url="http://127.0.0.1:2"))


def table(*policies, version=(1, 0), weight=0, revision=1, routes=("/api/reviews/",)):
    move = MoveRoutes(
        move="m", term=version[0], n=version[1], owner="monolith", candidate="reviews", weight=weight, routes=routes
    )
    gateway = Gateway(revision=revision, policies=policies)
    return RouteTable(default="monolith", upstreams=UPSTREAMS, moves=(move,) if routes else (), gateway=gateway)


class World:
    """What lies behind the gateway, as a test says it; every request that reaches an upstream is in "asked"."""

    def __init__(self, given):
        self.table = given
        self.answers = []
        self.asked = []
        self.when = {}

    def decide(self, target, client="a"):
        return decide(self.table, "GET", target, client)

    def policy(self, method, target):
        return self.table.gateway.policy(method, target)

    def side(self, decision):
        version = self.table.versions.get(decision.move) if decision.move else None
        return Side(upstream=self.table.upstream(decision.upstream), move=decision.move, version=version)

    def wrote(self, move):
        return self.when.get(move, 0)

    async def ask(self, target, fields, longest):
        self.asked.append(dict(fields))
        answer = self.answers.pop(0)
        return None if answer is None else (self.decide(target), answer)

    def visit(self, target, headers=None, *, method="GET", body=b"", client="a"):
        policy = self.table.gateway.policy(method, target)
        given = {"Host": "shop", **(headers or {})}
        return Visit(
            policy=policy,
            method=method,
            target=target,
            fields=tuple((name.encode(), value.encode()) for name, value in given.items()),
            body=body,
            address="127.0.0.1",
            client_key=client,
            cookies=[given["Cookie"]] if "Cookie" in given else [],
            authorization=given.get("Authorization"),
            routing=self,
        )


def said(status=200, body=b"", **headers):
    """An upstream's answer; underscores in names are dashes."""
    fields = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Answer(status=status, fields=fields, body=body)
