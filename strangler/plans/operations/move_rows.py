"""MoveRows: some rows of tables go, by tenant or another condition; the others stay in the same tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strangler.plans.operations.base import freeze
from strangler.plans.operations.moving import Moving


@dataclass(frozen=True)
class MoveRows(Moving):
    """Bring the rows that meet a condition to the service's database and keep them there: MoveTables for some rows.

    A condition is SQL over the row's own columns, without the table's name, and such that it always holds or never for
    the same row, which the database checks. Where it is NULL the row stays.
    """

    rows: tuple[tuple[str, str], ...]
    """A condition for each model; may be written as a mapping."""

    def __post_init__(self) -> None:
        given: Mapping[str, str] | Iterable[tuple[str, str]] = self.rows
        freeze(self, "rows", given.items() if isinstance(given, Mapping) else map(tuple, given))
        for label, where in self.rows:
            if not where.strip():
                raise ValueError(f'MoveRows: the condition of "{label}" is empty; write one, or use MoveTables')

    def describe(self) -> str:
        shown = (f"{label} where {' '.join(where.split())}" for label, where in self.rows)
        return f"Move rows of {'; '.join(shown)}"

    def chosen(self) -> tuple[tuple[str, str | None], ...]:
        return self.rows
