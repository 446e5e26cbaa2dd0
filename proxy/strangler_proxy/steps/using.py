"""Counts the requests of developers' keys."""

from __future__ import annotations

from dataclasses import dataclass

from strangler_proxy.answers import Answer
from strangler_proxy.steps.visit import Visit
from strangler_proxy.usage import Usage


@dataclass(frozen=True, kw_only=True)
class Using:
    """Stands before the limits, so that it sees what they turn away."""

    usage: Usage

    async def enter(self, visit: Visit) -> Answer | None:
        """Nothing."""
        if visit.key:
            self.usage.came(visit.key)
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """As it is."""
        if visit.key:
            self.usage.answered(visit.key, answer.status)
        return answer
