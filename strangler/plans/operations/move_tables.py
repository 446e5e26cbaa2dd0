"""MoveTables: copy the tables, follow their changes, verify; the monolith goes on owning them."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.plans.operations.base import freeze
from strangler.plans.operations.moving import Moving


@dataclass(frozen=True)
class MoveTables(Moving):
    """Bring an aggregate's tables, and the copies declared before, to the service's database and keep them there.

    Ownership passes later, with MoveRoutes.
    """

    models: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)

    def describe(self) -> str:
        return f"Move tables {', '.join(self.models)}"

    def chosen(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((label, None) for label in self.models)
