"""What developers may use."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Quotas of each key that has this plan, by days and months of UTC. Raises ValueError."""

    name: str
    per_day: int | None = None
    per_month: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f'"{self.name}" is no name for a plan; use letters, digits, "_", "." and "-"')
        for quota in (self.per_day, self.per_month):
            if quota is not None and quota < 0:
                raise ValueError(f'a quota of the plan "{self.name}" is {quota}; it must be at least 0 requests')
