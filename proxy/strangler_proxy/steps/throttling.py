"""Token buckets: who asks for more than a policy allows is told when to come again."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from strangler_proxy.answers import Answer, as_json
from strangler_proxy.gateway.throttle import Throttle
from strangler_proxy.steps.visit import Visit

LARGEST = 100_000
"""Buckets that are kept; the ones used longest ago go first, and a client that comes back then has a full one."""


@dataclass(kw_only=True)
class Throttling:
    """Buckets of this process."""

    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[tuple[str, Throttle, str], tuple[float, float]] = field(default_factory=OrderedDict)

    async def enter(self, visit: Visit) -> Answer | None:
        """429 where one of the buckets is empty; then no bucket has lost a token."""
        if not visit.policy.throttle:
            return None
        now = self.clock()
        path = visit.policy.stated["throttle"]
        buckets = [(path, throttle, _whose(throttle, visit)) for throttle in visit.policy.throttle]
        tokens = [self._tokens(bucket, now) for bucket in buckets]
        wait = max(
            ((1 - found) / bucket[1].rate for bucket, found in zip(buckets, tokens, strict=True) if found < 1),
            default=0.0,
        )
        if wait:
            return as_json(429, {"detail": "too many requests"}, Retry_After=str(math.ceil(wait)))
        for bucket, found in zip(buckets, tokens, strict=True):
            self._buckets[bucket] = (found - 1, now)
            self._buckets.move_to_end(bucket)
        while len(self._buckets) > LARGEST:
            self._buckets.popitem(last=False)
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer

    def _tokens(self, bucket: tuple[str, Throttle, str], now: float) -> float:
        throttle = bucket[1]
        tokens, when = self._buckets.get(bucket, (float(throttle.burst), now))
        return min(throttle.burst, tokens + (now - when) * throttle.rate)


def _whose(throttle: Throttle, visit: Visit) -> str:
    if throttle.per == "route":
        return ""
    named = {"client": visit.client_key, "user": visit.user, "key": visit.key}.get(throttle.per)
    return named or f"address {visit.address}"
