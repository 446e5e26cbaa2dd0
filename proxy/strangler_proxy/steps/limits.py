"""What clients are told of the limits that they go by: RateLimit-Policy and RateLimit.

As draft-ietf-httpapi-ratelimit-headers-10 has them: q requests in w seconds; r are left, and t seconds until all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from strangler_proxy.answers import Answer
from strangler_proxy.forwarding import Fields
from strangler_proxy.steps.visit import Limit, Visit


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Stands before the steps that limit."""

    async def enter(self, visit: Visit) -> Answer | None:
        """Nothing."""
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """With what the steps behind it noted in visit.limits."""
        return replace(answer, fields=(*answer.fields, *_fields(visit.limits))) if visit.limits else answer


def _fields(limits: Sequence[Limit]) -> Fields:
    policies = ", ".join(f'"{limit.name}";q={limit.quota};w={limit.window}' for limit in limits)
    now = ", ".join(f'"{limit.name}";r={limit.left};t={limit.reset}' for limit in limits)
    return ((b"RateLimit-Policy", policies.encode()), (b"RateLimit", now.encode()))
