"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not right yet, and where to look."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"- {self.what}\n  look at: {self.where}"
