"""What lies behind the gateway for one request, as its steps may ask of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mitmproxy import http

from strangler_proxy.answers import Answer
from strangler_proxy.exchange import Exchange
from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.policies import Effective
from strangler_proxy.identity import IdentityUnknown
from strangler_proxy.routes import Decision
from strangler_proxy.sending import Sender
from strangler_proxy.staff import Staff
from strangler_proxy.steps.visit import Side
from strangler_proxy.table import TableStore
from strangler_proxy.upstreams import UpstreamFailed
from strangler_proxy.wrote import Wrote


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """Answers by the table that is in force when it is asked. "decision" is where the table sends a read."""

    exchange: Exchange
    request: http.Request
    store: TableStore
    wrote_by: Wrote
    staff: Staff
    sender: Sender
    decision: Callable[[Exchange], Decision]

    def decide(self, target: str) -> Decision | None:
        """Where a read of the target goes; None where the monolith has to say first whose it is."""
        asked = replace(self.exchange, path=target)
        return None if self.staff.undecided(asked, self.store.table) is not None else self.decision(asked)

    def policy(self, method: str, target: str) -> Effective | None:
        """What the gateway in force says of the target."""
        return self.store.table.gateway.policy(method, target)

    def stay_at(self, stage: str) -> None:
        """Have the request answered there."""
        self.exchange.stage = stage

    def side(self, decision: Decision) -> Side:
        """Who that is, in the table in force; a move that it has no more has no version."""
        table = self.store.table
        version = table.versions.get(decision.move) if decision.move is not None else None
        return Side(upstream=table.upstream(decision.upstream), move=decision.move, version=version)

    def wrote(self, move: str) -> int:
        """When the client may have written to the move last."""
        return self.wrote_by.written(move, self.exchange.client_key, self.exchange.cookies)

    async def ask(self, target: str, fields: Fields, longest: int) -> tuple[Decision, Answer] | None:
        """The answer to a read of its own, and whose it is."""
        table = self.store.table
        if (decision := self.decide(target)) is None:
            return None
        asked = replace(self.exchange, path=target, fields=fields, in_flight="", visit=None)
        request = self.request.copy()
        request.data.path = target.encode("utf-8", "surrogateescape")
        try:
            upstream = table.upstream(decision.upstream)
            answer = await self.sender.fetch(request, asked, table, upstream, longest=longest)
        except (UpstreamFailed, IdentityUnknown):
            return None
        return decision, Answer(status=answer.status_code, fields=answer.headers.fields, body=answer.raw_content or b"")
