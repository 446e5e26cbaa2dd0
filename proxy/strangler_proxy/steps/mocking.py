"""Answers in place of an upstream's, from the examples in its document, and what goes wrong for exercise."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.documents import Documents
from strangler_proxy.forwarding import values
from strangler_proxy.gateway.documents import Fault
from strangler_proxy.openapi.examples import Example, example_of, operation_at
from strangler_proxy.steps.visit import Visit

_PREFER = re.compile(r'\b(code|example)\s*=\s*"?([A-Za-z0-9_.-]+)')


@dataclass(frozen=True, kw_only=True)
class Mocking:
    """Stands where the upstream would be, behind the transformations."""

    documents: Documents
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep

    async def enter(self, visit: Visit) -> Answer | None:
        """The first fault that gives an answer, else the example; 501 where the document has none."""
        mock = visit.policy.mock
        if mock is None:
            return None
        for fault in mock.faults:
            if _is_for(fault, visit):
                await self.sleep(fault.delay)
                if fault.status:
                    return _marked(as_json(fault.status, {"detail": "a fault that is wanted here"}))
        return _marked(self._answer(visit)) if mock.answers else None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer

    def _answer(self, visit: Visit) -> Answer:
        decision = visit.routing.decide(visit.target)
        document = self.documents.of(decision.upstream) if decision is not None else None
        found = operation_at(document, visit.method, visit.target.partition("?")[0]) if document is not None else None
        if document is None or found is None:
            return as_json(501, {"detail": "no document says what is answered here"})
        wanted = dict(_PREFER.findall(", ".join(values(visit.fields, b"prefer"))))
        example = example_of(document, found[1], status=wanted.get("code", ""), name=wanted.get("example", ""))
        if example is None:
            return as_json(501, {"detail": "the document has no such answer here"})
        return _made(example, visit.method)


def _made(example: Example, method: str) -> Answer:
    if not example.kind:
        return Answer(status=example.status)
    raw = isinstance(example.value, str) and "json" not in example.kind
    body = example.value.encode() if raw else json.dumps(example.value).encode()
    fields = ((b"Content-Type", example.kind.encode("latin-1", "replace")), (b"Content-Length", b"%d" % len(body)))
    return Answer(status=example.status, fields=fields, body=b"" if method == "HEAD" else body)


def _marked(answer: Answer) -> Answer:
    return replace(answer, fields=(*answer.fields, (b"X-Mock", b"1"), (b"Cache-Control", b"no-store")))


def _is_for(fault: Fault, visit: Visit) -> bool:
    """By a hash of what is asked and by whom."""
    text = f"{fault.status} {fault.delay} {visit.method} {visit.target} {visit.client_key or visit.address}"
    return zlib.crc32(text.encode("utf-8", "surrogateescape")) < fault.share * (1 << 32)
