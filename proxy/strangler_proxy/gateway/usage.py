"""How much developers' keys are used, as proxies tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strangler_proxy.gateway.codec import decode, encode


@dataclass(frozen=True, kw_only=True)
class UsageRow:
    """One key's requests of one day, in UTC, at one run of one proxy: sums that only grow, so telling twice is once."""

    process: str
    key: str
    day: str
    requests: int
    refused: int = 0
    """Of these, turned away by a limit."""
    failed: int = 0
    """Of these, answered by 5xx."""

    @property
    def of(self) -> tuple[str, str, str]:
        return self.process, self.key, self.day


@dataclass(frozen=True, kw_only=True)
class UsageReport:
    """Rows that changed since they were last collected; with more of them the next report has the rest."""

    rows: tuple[UsageRow, ...] = ()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> UsageReport:
        """Raises ValueError with one sentence."""
        return decode(cls, given, "the report of usage")

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        return {"rows": [encode(row) for row in self.rows]}
