"""How a rollout stands at one moment, for whoever wants to know."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.rollout.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Where it stands, in words; the verdict as it is now, where one is given; and what that rests on."""

    stands: str
    verdict: Verdict | None = None
    rests_on: str = ""

    def __str__(self) -> str:
        return "\n  ".join(filter(None, (self.stands, str(self.verdict or ""), self.rests_on)))
