"""Deletions in a table that stays, which the owner of rows that point at it has to follow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Whose deletions are noted in strangler.cleanups, and what each note says."""

    table: str
    key: str
    """The column of the table that the others point at."""
    service: str
    field: str
    column: str
    on_delete: str

    @property
    def digest(self) -> str:
        """The same for the same note, short enough for names that engines cut."""
        told = (self.service, self.field, self.column, self.on_delete, self.table, self.key)
        return hashlib.sha256("/".join(told).encode()).hexdigest()[:12]
