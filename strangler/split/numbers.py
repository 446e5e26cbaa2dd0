"""The numbers that a database gives to rows by itself: may two databases give out the same?"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What the numbers of a column are taken from: every "step"th one, "first" among them."""

    lowest: int = 1
    highest: int
    step: int = 1
    first: int = 1

    def shared_with(self, other: Numbers) -> tuple[int, int] | None:
        """The range in which both may give out the same number, if there is one."""
        low, high = max(self.lowest, other.lowest), min(self.highest, other.highest)
        meet = (self.first - other.first) % gcd(self.step, other.step) == 0
        return (low, high) if meet and low <= high else None
