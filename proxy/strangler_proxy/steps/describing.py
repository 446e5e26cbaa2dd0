"""The page of what is there, and the document behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from strangler_proxy.answers import Answer, not_found
from strangler_proxy.documents import Documents
from strangler_proxy.openapi.document import Document
from strangler_proxy.openapi.page import page
from strangler_proxy.routes import RouteTable
from strangler_proxy.steps.visit import Visit

_ALONE = (
    b"Content-Security-Policy",
    b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
)
_AS_SAID = (b"X-Content-Type-Options", b"nosniff")


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A document as it is sent."""

    document: Document
    page: bytes
    json: bytes


@dataclass(kw_only=True)
class Describing:
    """Answers everything below the policy's path."""

    documents: Documents
    table: Callable[[], RouteTable]
    _written: _Written | None = None
    """The last one: a page is written once for a table, not for each who looks."""

    async def enter(self, visit: Visit) -> Answer | None:
        """The page at the path, the document at openapi.json below it, 404 for all else there."""
        describe = visit.policy.describe
        if describe is None:
            return None
        path = visit.target.partition("?")[0]
        at = visit.policy.stated["describe"]
        if visit.method not in ("GET", "HEAD") or path not in (at, f"{at}openapi.json"):
            return not_found()
        written = self._write(self.documents.merged(self.table(), describe.title))
        kind, body = (b"application/json", written.json)
        if path == at:
            kind, body = (b"text/html; charset=utf-8", written.page)
        fields = ((b"Content-Type", kind), _ALONE, _AS_SAID, (b"Content-Length", b"%d" % len(body)))
        return Answer(status=200, fields=fields, body=b"" if visit.method == "HEAD" else body)

    def _write(self, document: Document) -> _Written:
        if self._written is None or self._written.document is not document:
            self._written = _Written(
                document=document, page=page(document).encode(), json=json.dumps(document).encode()
            )
        return self._written

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer
