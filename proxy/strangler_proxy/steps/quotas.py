"""Quotas of developers' keys: their plans' requests a day and a month."""

from __future__ import annotations

import math
import time
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.gateway.plans import Plan
from strangler_proxy.routes import RouteTable
from strangler_proxy.steps.visit import Limit, Visit
from strangler_proxy.steps.windows import Window, Windows

_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Counts each request that came with a key of a plan. Stands behind the throttles, which cost no quota."""

    windows: Windows
    table: Callable[[], RouteTable]
    clock: Callable[[], float] = time.time

    async def enter(self, visit: Visit) -> Answer | None:
        """429 where a quota is used up; then none has lost anything."""
        plan = self.table().gateway.plan(visit.plan) if visit.plan else None
        if plan is None or not (found := _windows(plan, visit.key, self.clock())):
            return None
        used = await self.windows.use([window for _, _, window in found])
        visit.limits += [
            Limit(
                name=name, quota=window.quota, window=seconds, left=max(0, window.quota - count), reset=window.ends_in
            )
            for (name, seconds, window), count in zip(found, used.counts, strict=True)
        ]
        if used.counted:
            return None
        metrics.OVER_QUOTA.labels(plan.name).inc()
        full = (
            window.ends_in for (_, _, window), count in zip(found, used.counts, strict=True) if count >= window.quota
        )
        return as_json(429, {"detail": "the quota of the key's plan is used up"}, Retry_After=str(max(full)))

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        return answer


def _windows(plan: Plan, key: str, now: float) -> list[tuple[str, int, Window]]:
    """(name, seconds from its begin to its end, window) of each quota."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = monthrange(today.year, today.month)[1]
    ends = today + timedelta(days=1), today.replace(day=1) + timedelta(days=days)
    given = (
        ("day", plan.per_day, f"{today:%Y-%m-%d}", _DAY, ends[0]),
        ("month", plan.per_month, f"{today:%Y-%m}", days * _DAY, ends[1]),
    )
    return [
        (name, seconds, Window(name=f"{key} {begin}", quota=quota, ends_in=math.ceil(end.timestamp() - now)))
        for name, quota, begin, seconds, end in given
        if quota is not None
    ]
