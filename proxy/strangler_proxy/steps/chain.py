"""The gateway's steps, one after the other, and back in the reverse order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from strangler_proxy.answers import Answer
from strangler_proxy.steps.visit import Visit


class Step(Protocol):
    """One feature. It does nothing for a visit whose policy does not state it."""

    async def enter(self, visit: Visit) -> Answer | None:
        """An answer ends the way here; None lets the request go on, as the step has changed it."""

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """The answer as it goes on towards the client. Called for every visit that the step let go on."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All steps, in the order in which a request meets them."""

    steps: Sequence[Step]

    async def enter(self, visit: Visit) -> Answer | None:
        """The answer, already as it is for the client, if a step gave one."""
        for number, step in enumerate(self.steps):
            if (answer := await step.enter(visit)) is not None:
                visit.answered_by = type(step).__name__.lower()
                return await self._back(visit, answer, number)
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """An upstream's answer as it is for the client."""
        return await self._back(visit, answer, len(self.steps))

    async def _back(self, visit: Visit, answer: Answer, number: int) -> Answer:
        for step in reversed(self.steps[:number]):
            answer = await step.leave(visit, answer)
        return answer
