"""The page of what is there, and the document behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from strangler_proxy.answers import Answer, not_found
from strangler_proxy.documents import Documents
from strangler_proxy.openapi.page import page
from strangler_proxy.routes import RouteTable
from strangler_proxy.steps.visit import Visit

_ALONE = (
    b"Content-Security-Policy",
    b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
)
_AS_SAID = (b"X-Content-Type-Options", b"nosniff")


@dataclass(frozen=True, kw_only=True)
class Describing:
    """Answers everything below the policy's path."""

    documents: Documents
    table: Callable[[], RouteTable]

    async def enter(self, visit: Visit) -> Answer | None:
        """The page at the path, the document at openapi.json below it, 404 for all else there."""
        describe = visit.policy.describe
        if describe is None:
            return None
        path = visit.target.partition("?")[0]
        at = visit.policy.stated["describe"]
        if visit.method not in ("GET", "HEAD") or path not in (at, f"{at}openapi.json"):
            return not_found()
        document = self.documents.merged(self.table(), describe.title)
        if path == at:
            kind, body = b"text/html; charset=utf-8", page(document).encode()
        else:
            kind, body = b"application/json", json.dumps(document).encode()
        fields = ((b"Content-Type", kind), _ALONE, _AS_SAID, (b"Content-Length", b"%d" % len(body)))
        return Answer(status=200, fields=fields, body=b"" if visit.method == "HEAD" else body)

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer
