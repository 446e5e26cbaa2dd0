"""Token buckets: who asks for more than a policy allows is told when to come again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.gateway.throttle import Throttle
from strangler_proxy.steps.buckets import Bucket, Buckets, Taken
from strangler_proxy.steps.visit import Limit, Visit


@dataclass(frozen=True, kw_only=True)
class Throttling:
    """Takes a token from each of a policy's buckets for each request."""

    buckets: Buckets

    async def enter(self, visit: Visit) -> Answer | None:
        """429 where one of the buckets is empty; then no bucket has lost a token."""
        throttles = visit.policy.throttle
        if not throttles:
            return None
        path = visit.policy.stated["throttle"]
        buckets = [_bucket(path, throttle, visit) for throttle in throttles]
        taken = await self.buckets.take(buckets)
        visit.limits += _limits(throttles, buckets, taken)
        if not taken.wait:
            return None
        metrics.THROTTLED.labels(path).inc()
        return as_json(429, {"detail": "too many requests"}, Retry_After=str(math.ceil(taken.wait)))

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer


def _bucket(path: str, throttle: Throttle, visit: Visit) -> Bucket:
    named = f"{path} {throttle.rate:g} {throttle.burst} {throttle.per} {_whose(throttle, visit)}"
    digest = hashlib.blake2b(named.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return Bucket(name=digest, rate=throttle.rate, burst=throttle.burst)


def _whose(throttle: Throttle, visit: Visit) -> str:
    if throttle.per == "route":
        return ""
    named = {"client": visit.client_key, "user": visit.user, "key": visit.key}.get(throttle.per)
    return f"named {named}" if named else f"address {_site(visit.address)}"


@lru_cache(maxsize=10_000)
def _site(address: str) -> str:
    """The address, or the /64 that it is in: whoever has one IPv6 address has all of those."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or ip_network((int(known), 64), strict=False))


def _limits(throttles: Sequence[Throttle], buckets: Sequence[Bucket], taken: Taken) -> list[Limit]:
    pers = [throttle.per for throttle in throttles]
    return [
        Limit(
            name=throttle.per if pers.count(throttle.per) == 1 else f"{throttle.per}-{number}",
            quota=throttle.burst,
            window=math.ceil(throttle.burst / throttle.rate),
            left=bucket.left(full_in),
            reset=math.ceil(full_in),
        )
        for number, (throttle, bucket, full_in) in enumerate(zip(throttles, buckets, taken.full_in, strict=True), 1)
    ]
